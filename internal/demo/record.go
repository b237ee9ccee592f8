package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/run"
)

// shownEvents is how many events of the audit trail are shown.
const shownEvents = 8

// locks says in words who holds which project, as the database has it.
func (d *demo) locks(ctx context.Context) (string, error) {
	base, err := d.database(ctx)
	if err != nil {
		return "", err
	}
	defer base.Close()
	held, err := run.NewStore(base, nil, nil).Locks(ctx, base, d.repo.ID())
	if err != nil {
		return "", err
	}
	var said []string
	for _, l := range held {
		said = append(said, fmt.Sprintf("#%d holds `%s`", l.Pull, l.Dir))
	}
	return strings.Join(said, ", "), nil
}

// record shows what stays: the history of runs and the audit trail, both from
// the database.
func (d *demo) record(ctx context.Context) error {
	d.chapter("What stays: the history, and an audit trail that can be checked")
	base, err := d.database(ctx)
	if err != nil {
		return err
	}
	defer base.Close()
	runs, err := run.NewStore(base, nil, nil).History(ctx, base, "", 100)
	if err != nil {
		return err
	}
	d.put(history(runs, d.inner())...)
	if err := d.pause(ctx); err != nil {
		return err
	}

	trail := access.NewTrail(base)
	events, err := trail.List(ctx, "", 10_000)
	if err != nil {
		return err
	}
	d.put(nil)
	d.put(eventLines(events, d.inner())...)
	start := time.Now()
	if err := trail.Verify(ctx); err != nil {
		return err
	}
	d.did("%s, each chained to the one before by its hash: checked in %s, none changed, none missing", count(len(events), "event"), seconds(time.Since(start)))
	return d.pause(ctx)
}

// history is the runs as a table, the oldest first.
func history(runs []run.Run, width int) []line {
	rows := [][]line{heads("pull", "project", "run", "status", "by", "took")}
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		took := ""
		if !r.Started.IsZero() && !r.Finished.IsZero() {
			took = seconds(r.Finished.Sub(r.Started))
		}
		s := plain
		switch r.Status {
		case run.Applied:
			s = green
		case run.Superseded, run.Canceled:
			s = dim
		case run.Failed, run.Held, run.Interrupted:
			s = red
		}
		rows = append(rows, []line{
			text(plain, fmt.Sprintf("#%d", r.Pull)), text(cyan, r.Project.Name), text(plain, string(r.Kind)),
			text(s, string(r.Status)), text(plain, r.Actor.String()), text(dim, took),
		})
	}
	return columns(rows, width, []bool{5: true})
}

// eventLines is the end of the audit trail as a table, the oldest first.
func eventLines(events []access.Entry, width int) []line {
	rows := [][]line{heads("event", "when", "who", "did", "what")}
	for i := min(len(events), shownEvents) - 1; i >= 0; i-- {
		e := events[i]
		rows = append(rows, []line{
			text(dim, fmt.Sprint(e.Seq)), text(dim, e.At.Local().Format("15:04:05")), text(plain, e.Actor.String()),
			text(bold, e.Action), text(plain, detail(e.Detail)),
		})
	}
	lines := columns(rows, width, []bool{true})
	if more := len(events) - shownEvents; more > 0 {
		lines = append(lines[:1], append([]line{text(dim, "… "+count(more, "earlier event"))}, lines[1:]...)...)
	}
	return lines
}

// detail is an event's facts in one line. Of hashes and IDs their beginning
// says enough here.
func detail(raw json.RawMessage) string {
	var facts map[string]any
	if err := json.Unmarshal(raw, &facts); err != nil {
		return ""
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		var v string
		switch fact := facts[name].(type) {
		case string:
			v = fact
		case float64:
			v = strconv.FormatFloat(fact, 'f', -1, 64)
		}
		if v == "" {
			continue // empty, or more than a line can tell
		}
		if len(v) > 20 {
			v = strings.ToValidUTF8(v[:12], "") + "…"
		}
		out = append(out, name+"="+v)
	}
	return strings.Join(out, " ")
}

func heads(names ...string) []line {
	var out []line
	for _, n := range names {
		out = append(out, text(dim, n))
	}
	return out
}

// summary tells how long each step took.
func (d *demo) summary(ctx context.Context) error {
	d.chapter("How long it took")
	rows := [][]line{}
	for _, f := range d.figures {
		rows = append(rows, []line{text(plain, f.what), text(bold, seconds(f.took))})
	}
	d.put(columns(rows, d.inner(), []bool{1: true})...)
	calls, hooks := d.gh.Calls(), 0
	base, err := d.database(ctx)
	if err != nil {
		return err
	}
	defer base.Close()
	if err := base.QueryRowContext(ctx, `SELECT COUNT(*) FROM deliveries`).Scan(&hooks); err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	d.say("The whole story: %s, with %s received and %s made of GitHub.", seconds(time.Since(d.began)), count(hooks, "webhook"), count(len(calls), "API call"))
	return nil
}

// stay tells what there is to look at while the demo stays up.
func (d *demo) stay() {
	d.chapter("Look around")
	rows := [][]line{}
	for _, p := range d.repo.Pulls() {
		s := p.State()
		state := s.State
		if s.Merged {
			state = "merged"
		}
		rows = append(rows, []line{text(plain, fmt.Sprintf("pull request #%d, %s", s.Number, state)), text(cyan, p.HTMLURL())})
	}
	rows = append(rows, []line{text(plain, "Tidelock's own pages"), text(cyan, d.url()+"/")})
	d.put(columns(rows, d.inner(), nil)...)
	d.put(nil, line{{"Ctrl-C", bold}, {" ends the demo and removes all that it made.", plain}})
}
