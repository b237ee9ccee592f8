package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ name, expr, zone, after, want string }{
		{"the next morning", "0 6 * * *", "", "2026-03-02T07:00:00Z", "2026-03-03T06:00:00Z"},
		{"never the same minute again", "0 6 * * *", "", "2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"},
		{"over the weekend", "0 6 * * 1-5", "", "2026-03-06T06:30:00Z", "2026-03-09T06:00:00Z"},
		{"a place's own clock", "0 6 * * *", "Europe/Vienna", "2026-01-10T00:00:00Z", "2026-01-10T05:00:00Z"},
		{"in summer an hour earlier", "0 6 * * *", "Europe/Vienna", "2026-07-10T00:00:00Z", "2026-07-10T04:00:00Z"},
		{"an hour that does not exist is left out", "30 2 * * *", "Europe/Vienna", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
		{"an hour that comes twice counts once", "30 2 * * *", "Europe/Vienna", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"a word", "@daily", "", "2026-03-02T07:00:00Z", "2026-03-03T00:00:00Z"},
		{"the 29th of February", "0 0 29 2 *", "", "2026-03-02T07:00:00Z", "2028-02-29T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(c.expr, c.zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(at(t, c.after)); !got.Equal(at(t, c.want)) {
				t.Errorf("after %s: %s, want %s", c.after, got.Format(time.RFC3339), c.want)
			}
		})
	}
	if !(Schedule{}).Next(time.Now()).IsZero() {
		t.Error("the empty schedule comes due")
	}
}

func TestWhatIsNoSchedule(t *testing.T) {
	for _, c := range []struct{ expr, zone, says string }{
		{"", "", "five fields"},
		{"* * *", "", "five fields"},
		{"61 * * * *", "", "five fields"},
		{"0 0 6 * * *", "", "five fields"},
		{"0 0 30 2 *", "", "never comes due"},
		{"@every 5m", "", "five fields"},
		{"TZ=Europe/Vienna 0 6 * * *", "", "five fields"},
		{"TZ=0", "", "five fields"}, // on which the library panics
		{strings.Repeat("1,", 500) + "1 * * * *", "", "five fields"},
		{"0 6 * * *", "Europe/Wien", `no time zone "Europe/Wien"`},
		{"0 6 * * *", "Local", `no time zone "Local"`},
		{"0 6 * * *", "../../etc/passwd", "no time zone"},
	} {
		_, err := Parse(c.expr, c.zone)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.says) {
			t.Errorf("%q in %q: %v", c.expr, c.zone, err)
		}
	}
}

func TestSpread(t *testing.T) {
	daily, err := Parse("0 6 * * *", "")
	if err != nil {
		t.Fatal(err)
	}
	tick := at(t, "2026-03-02T06:00:00Z")
	seen := map[time.Duration]bool{}
	for seed := range int64(200) {
		d := daily.Spread(seed, tick, 10*time.Minute)
		if d < 0 || d >= 10*time.Minute || d != daily.Spread(seed, tick.Add(24*time.Hour), 10*time.Minute) {
			t.Fatalf("seed %d: %s", seed, d)
		}
		seen[d] = true
	}
	if len(seen) < 150 {
		t.Errorf("200 things begin at %d moments", len(seen))
	}
	often, err := Parse("* * * * *", "")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range int64(200) {
		if d := often.Spread(seed, tick, 10*time.Minute); d >= 6*time.Second {
			t.Errorf("a tick a minute is delayed by %s", d)
		}
	}
}
