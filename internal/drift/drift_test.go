package drift

import (
	"slices"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner"
)

func ptr(s string) *string { return &s }

// noon is a Monday.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestWatchesTakeTheNearestWord(t *testing.T) {
	server := Defaults{Cron: "0 6 * * *", Timezone: "Europe/Vienna", Remediate: "issue"}
	for _, c := range []struct {
		name   string
		server Defaults
		whole  planner.DriftConfig
		own    []Block
		want   []Watch
	}{
		{"the server's", server, planner.DriftConfig{}, nil, []Watch{{Cron: "0 6 * * *", Timezone: "Europe/Vienna", Remediate: "issue"}}},
		{"nothing anywhere", Defaults{}, planner.DriftConfig{}, nil, []Watch{{Remediate: "issue"}}},
		{"the repository's", server, planner.DriftConfig{Schedule: ptr("0 4 * * 1")}, nil, []Watch{{Cron: "0 4 * * 1", Timezone: "Europe/Vienna", Remediate: "issue"}}},
		{"the repository wants none", server, planner.DriftConfig{Schedule: ptr("off")}, nil, []Watch{{Remediate: "issue"}}},
		{"a project's own", server, planner.DriftConfig{Timezone: ptr("UTC")},
			[]Block{{"live/db", "default", planner.DriftConfig{Remediate: ptr("pull")}}, {"live/web", "default", planner.DriftConfig{}}},
			[]Watch{{Cron: "0 6 * * *", Timezone: "UTC", Remediate: "issue"}, {Dir: "live/db", Workspace: "default", Cron: "0 6 * * *", Timezone: "UTC", Remediate: "pull"}}},
		{"one project alone", Defaults{}, planner.DriftConfig{}, []Block{{"live/db", "eu", planner.DriftConfig{Schedule: ptr("@hourly")}}},
			[]Watch{{Remediate: "issue"}, {Dir: "live/db", Workspace: "eu", Cron: "@hourly", Remediate: "issue"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Watches(c.server, c.whole, c.own); !slices.Equal(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestWhatIsDue(t *testing.T) {
	rest := Watch{Cron: "0 6 * * *", Remediate: "issue", Next: noon.Add(-6 * time.Hour)}
	db := Watch{Dir: "live/db", Workspace: "default", Cron: "@hourly", Remediate: "issue", Next: noon.Add(30 * time.Minute)}
	never := Watch{Dir: "live/old", Workspace: "default", Remediate: "off"}

	due, wanted := Due(7, []Watch{rest, db, never}, noon)
	if len(due) != 1 || !wanted.Rest || wanted.Whole() || !slices.Equal(wanted.Not, []string{"live/db:default", "live/old:default"}) || wanted.Keys != nil {
		t.Fatalf("due %+v, wanted %+v", due, wanted)
	}
	if next := due[0].Next; next.Before(noon.Add(18*time.Hour)) || next.After(noon.Add(18*time.Hour+spread)) {
		t.Errorf("it is due again at %s", next)
	}
	for dir, want := range map[string]bool{"live/web": true, "live/db": false, "live/old": false} {
		if got := wanted.Takes(planner.Project{Name: dir, Dir: dir, Workspace: "default"}); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}

	// A server that was away for a month makes up for it once.
	late := rest
	late.Next = noon.Add(-30 * 24 * time.Hour)
	due, _ = Due(7, []Watch{late}, noon)
	if len(due) != 1 || !due[0].Next.After(noon) {
		t.Fatalf("after a month: %+v", due)
	}
	if again, _ := Due(7, due, noon.Add(time.Second)); again != nil {
		t.Errorf("and once more: %+v", again)
	}

	// Both at once are one check.
	db.Next = noon
	if due, wanted = Due(7, []Watch{rest, db}, noon); len(due) != 2 || !wanted.Rest || !wanted.Takes(planner.Project{Dir: "live/db", Workspace: "default"}) {
		t.Errorf("due %+v, wanted %+v", due, wanted)
	}
	if due, _ = Due(7, []Watch{{}, never}, noon); due != nil {
		t.Errorf("what is never due: %+v", due)
	}
}

// However the clock goes on, each tick of a daily watch comes due once, and
// within the spread.
func TestNoTickIsLostOrDoubled(t *testing.T) {
	for repo := range int64(50) {
		w := Renew(repo, nil, []Watch{{Cron: "0 6 * * *"}}, noon)[0]
		begun := 0
		for now := noon; now.Before(noon.Add(10 * 24 * time.Hour)); now = now.Add(7 * time.Minute) {
			due, _ := Due(repo, []Watch{w}, now)
			if due == nil {
				continue
			}
			begun++
			w = due[0]
			if late := now.Sub(time.Date(now.Year(), now.Month(), now.Day(), 6, 0, 0, 0, time.UTC)); late < 0 || late > spread+7*time.Minute {
				t.Fatalf("repository %d begins at %s", repo, now)
			}
		}
		if begun != 10 {
			t.Errorf("repository %d was checked %d times in 10 days", repo, begun)
		}
	}
}

func TestRenewKeepsWhatIsOverdue(t *testing.T) {
	past := noon.Add(-48 * time.Hour)
	stored := []Watch{{Cron: "0 6 * * *", Next: past}}
	if got := Renew(7, stored, []Watch{{Cron: "0 6 * * *", Remediate: "pull"}}, noon)[0]; !got.Next.Equal(past) || got.Remediate != "pull" {
		t.Errorf("another remedy: %+v", got)
	}
	if got := Renew(7, stored, []Watch{{Cron: "0 7 * * *"}}, noon)[0]; !got.Next.After(noon) {
		t.Errorf("other times: %+v", got)
	}
	if got := Renew(7, stored, []Watch{{}}, noon)[0]; !got.Next.IsZero() {
		t.Errorf("no more: %+v", got)
	}
}

func TestWanted(t *testing.T) {
	p := planner.Project{Name: "shop:eu", Dir: "live/shop", Workspace: "eu"}
	for _, c := range []struct {
		name string
		w    Wanted
		want bool
	}{
		{"none", Wanted{}, false}, {"everything", Everything(""), true}, {"a pattern", Everything("shop:*"), true}, {"another's", Everything("net*"), false},
		{"its key", Wanted{Keys: []string{"live/shop:eu"}}, true}, {"left out", Wanted{Rest: true, Not: []string{"live/shop:eu"}}, false},
		{"a broken pattern", Everything("["), false},
	} {
		if got := c.w.Takes(p); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWhichChecksStandForOthers(t *testing.T) {
	rest := Wanted{Rest: true, Not: []string{"db"}}
	for _, c := range []struct {
		name string
		w, o Wanted
		want bool
	}{
		{"itself", rest, rest, true},
		{"all of all", Everything(""), Everything(""), true},
		{"all of the rest", Everything(""), rest, true},
		{"all of one", Everything(""), Wanted{Keys: []string{"db"}}, true},
		{"the rest of all", rest, Everything(""), false},
		{"the rest of what it leaves out", rest, Wanted{Keys: []string{"db"}}, false},
		{"the rest of another", rest, Wanted{Keys: []string{"web"}}, true},
		{"the rest and one of all", Wanted{Rest: true, Not: []string{"db"}, Keys: []string{"db"}}, Everything(""), true},
		{"one of all", Wanted{Keys: []string{"db"}}, Everything(""), false},
		{"a pattern of all", Everything("net*"), Everything(""), false},
		{"a pattern of the rest", Everything("net*"), rest, false},
		{"a pattern of itself", Everything("net*"), Everything("net*"), true},
		{"all of a pattern", Everything(""), Everything("net*"), true},
		{"none of all", Wanted{}, Everything(""), false},
	} {
		if got := c.w.Covers(c.o); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestAfterACheck(t *testing.T) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	found := func(s Status, digest string, h int) Found {
		return Found{Check: "c", Run: "r", Project: planner.Project{Name: "db", Dir: "live/db", Workspace: "default"}, Status: s, Digest: digest, At: at(h)}
	}
	p := After(Project{}, 7, "acme", found(Clean, "", 0))
	if p.Status != Clean || !p.Since.Equal(at(0)) || p.Repo != 7 {
		t.Fatalf("at first: %+v", p)
	}
	p = After(p, 7, "acme", found(Drifted, "x", 1))
	p = After(p, 7, "acme", found(Drifted, "y", 2))
	if p.Digest != "y" || !p.Since.Equal(at(1)) || !p.Checked.Equal(at(2)) {
		t.Errorf("drifted twice: %+v", p)
	}
	p = After(p, 7, "acme", found(Failed, "", 3))
	if p.Status != Failed || p.Digest != "y" || !p.Since.Equal(at(3)) {
		t.Errorf("it may still have drifted: %+v", p)
	}
	if p = After(p, 7, "acme", found(Clean, "", 4)); p.Digest != "" {
		t.Errorf("clean again: %+v", p)
	}
}

func TestDecide(t *testing.T) {
	clean := []Project{{Dir: "a", Status: Clean}}
	drifted := []Project{{Dir: "a", Status: Drifted, Digest: "x"}, {Dir: "b", Status: Clean}}
	other := []Project{{Dir: "a", Status: Drifted, Digest: "y"}, {Dir: "b", Status: Clean}}
	unsure := []Project{{Dir: "a", Status: Failed, Digest: "x"}}
	broken := []Project{{Dir: "a", Status: Failed}}
	open, closed, gone := Seen{There: true, Open: true}, Seen{There: true}, Seen{}
	now := Digest(drifted)
	for _, c := range []struct {
		name string
		i    Issue
		all  []Project
		seen Seen
		step Step
		want Issue
	}{
		{"nothing ever", Issue{}, clean, gone, Rest, Issue{}},
		{"what can't be compared opens none", Issue{}, broken, gone, Rest, Issue{}},
		{"the first drift", Issue{}, drifted, gone, Make, Issue{State: IssueIntended}},
		{"killed while it was opened", Issue{State: IssueIntended}, drifted, gone, Make, Issue{State: IssueIntended}},
		{"killed, and clean meanwhile: it may be there", Issue{State: IssueIntended}, clean, gone, Make, Issue{State: IssueIntended}},
		{"the same drift", Issue{Number: 3, State: IssueOpen, Shown: "new"}, drifted, open, Rest, Issue{Number: 3, State: IssueOpen, Shown: "new"}},
		{"something else to say", Issue{Number: 3, State: IssueOpen, Shown: "old"}, drifted, open, Update, Issue{Number: 3, State: IssueOpen, Shown: "old"}},
		{"clean", Issue{Number: 3, State: IssueOpen}, clean, open, Close, Issue{Number: 3, State: IssueClosed}},
		{"perhaps still drifted", Issue{Number: 3, State: IssueOpen, Shown: "old"}, unsure, open, Update, Issue{Number: 3, State: IssueOpen, Shown: "old"}},
		{"another was never drifted", Issue{Number: 3, State: IssueOpen}, broken, open, Close, Issue{Number: 3, State: IssueClosed}},
		{"drift after a clean time", Issue{Number: 3, State: IssueClosed}, drifted, closed, Reopen, Issue{Number: 3, State: IssueOpen}},
		{"and it was deleted", Issue{Number: 3, State: IssueClosed}, drifted, gone, Make, Issue{State: IssueIntended}},
		{"and somebody opened it", Issue{Number: 3, State: IssueClosed}, drifted, open, Update, Issue{Number: 3, State: IssueOpen}},
		{"clean and closed", Issue{Number: 3, State: IssueClosed}, clean, closed, Rest, Issue{Number: 3, State: IssueClosed}},
		{"closed by a person", Issue{Number: 3, State: IssueOpen}, drifted, closed, Rest, Issue{Number: 3, State: IssueDismissed, Dismissed: now}},
		{"deleted by a person", Issue{Number: 3, State: IssueOpen}, drifted, gone, Rest, Issue{Number: 3, State: IssueDismissed, Dismissed: now}},
		{"closed by a person who mended it", Issue{Number: 3, State: IssueOpen}, clean, closed, Rest, Issue{Number: 3, State: IssueClosed}},
		{"a person's word is kept", Issue{Number: 3, State: IssueDismissed, Dismissed: now}, drifted, closed, Rest, Issue{Number: 3, State: IssueDismissed, Dismissed: now}},
		{"until the drift is another", Issue{Number: 3, State: IssueDismissed, Dismissed: now}, other, closed, Reopen, Issue{Number: 3, State: IssueOpen}},
		{"or it was mended", Issue{Number: 3, State: IssueDismissed, Dismissed: now}, clean, closed, Rest, Issue{Number: 3, State: IssueClosed}},
		{"but not while nobody knows", Issue{Number: 3, State: IssueDismissed, Dismissed: now}, unsure, closed, Rest, Issue{Number: 3, State: IssueDismissed, Dismissed: now}},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, got := Decide(c.i, c.all, c.seen, "new")
			if step != c.step || got != c.want {
				t.Errorf("%d %+v, want %d %+v", step, got, c.step, c.want)
			}
			// Where nothing is asked, nothing hangs on the answer.
			if !Asks(c.i, c.all) {
				for _, seen := range []Seen{open, closed, gone} {
					if step, got := Decide(c.i, c.all, seen, "new"); step != c.step || got != c.want {
						t.Errorf("seen %+v makes it %d %+v", seen, step, got)
					}
				}
			}
		})
	}
}

func TestRemedied(t *testing.T) {
	open, closed, merged := Remedy{There: true, Open: true}, Remedy{There: true}, Remedy{There: true, Merged: true}
	drifted := func(remedy int, for_ string) Project {
		return Project{Status: Drifted, Digest: "x", Remedy: remedy, RemedyDigest: for_}
	}
	for _, c := range []struct {
		name   string
		p      Project
		wanted bool
		r      Remedy
		want   Cure
	}{
		{"nothing wanted", drifted(0, ""), false, Remedy{}, NoCure},
		{"the first", drifted(0, ""), true, Remedy{}, Offer},
		{"there is one", drifted(5, "x"), true, open, NoCure},
		{"the drift is another", drifted(5, "w"), true, open, Refresh},
		{"somebody closed it", drifted(5, "x"), true, closed, NoCure},
		{"closed, and another drift", drifted(5, "w"), true, closed, Offer},
		{"merged: its apply is waited for", drifted(5, "x"), true, merged, NoCure},
		{"merged, and another drift", drifted(5, "w"), true, merged, Offer},
		{"wanted no more", drifted(5, "x"), false, open, Retract},
		{"mended otherwise", Project{Status: Clean, Remedy: 5}, true, open, Retract},
		{"mended by it", Project{Status: Clean, Remedy: 5}, true, merged, Forget},
		{"not compared", Project{Status: Failed, Digest: "x", Remedy: 5, RemedyDigest: "x"}, true, open, NoCure},
	} {
		if got := Remedied(c.p, c.wanted, c.r); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
