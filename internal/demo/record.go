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
	"github.com/tidelock/tidelock/internal/terminal"
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
	d.Put(history(runs, d.Inner())...)
	if err := d.pause(ctx); err != nil {
		return err
	}

	trail := access.NewTrail(base)
	events, err := trail.List(ctx, "", 10_000)
	if err != nil {
		return err
	}
	d.Put(nil)
	d.Put(eventLines(events, d.Inner())...)
	start := time.Now()
	if err := trail.Verify(ctx); err != nil {
		return err
	}
	d.did("%s, each chained to the one before by its hash: checked in %s, none changed, none missing", count(len(events), "event"), seconds(time.Since(start)))
	return d.pause(ctx)
}

// history is the runs as a table, the oldest first.
func history(runs []run.Run, width int) []terminal.Line {
	rows := [][]terminal.Line{heads("pull", "project", "run", "status", "by", "took")}
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		took := ""
		if !r.Started.IsZero() && !r.Finished.IsZero() {
			took = seconds(r.Finished.Sub(r.Started))
		}
		s := terminal.Plain
		switch r.Status {
		case run.Applied:
			s = terminal.Green
		case run.Superseded, run.Canceled:
			s = terminal.Dim
		case run.Failed, run.Held, run.Interrupted:
			s = terminal.Red
		}
		rows = append(rows, []terminal.Line{
			terminal.Text(terminal.Plain, fmt.Sprintf("#%d", r.Pull)), terminal.Text(terminal.Cyan, r.Project.Name), terminal.Text(terminal.Plain, string(r.Kind)),
			terminal.Text(s, string(r.Status)), terminal.Text(terminal.Plain, r.Actor.String()), terminal.Text(terminal.Dim, took),
		})
	}
	return terminal.Columns(rows, width, []bool{5: true})
}

// eventLines is the end of the audit trail as a table, the oldest first.
func eventLines(events []access.Entry, width int) []terminal.Line {
	rows := [][]terminal.Line{heads("event", "when", "who", "did", "what")}
	for i := min(len(events), shownEvents) - 1; i >= 0; i-- {
		e := events[i]
		rows = append(rows, []terminal.Line{
			terminal.Text(terminal.Dim, fmt.Sprint(e.Seq)), terminal.Text(terminal.Dim, e.At.Local().Format("15:04:05")), terminal.Text(terminal.Plain, e.Actor.String()),
			terminal.Text(terminal.Bold, e.Action), terminal.Text(terminal.Plain, detail(e.Detail)),
		})
	}
	lines := terminal.Columns(rows, width, []bool{true})
	if more := len(events) - shownEvents; more > 0 {
		lines = append(lines[:1], append([]terminal.Line{terminal.Text(terminal.Dim, "… "+count(more, "earlier event"))}, lines[1:]...)...)
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

func heads(names ...string) []terminal.Line {
	var out []terminal.Line
	for _, n := range names {
		out = append(out, terminal.Text(terminal.Dim, n))
	}
	return out
}

// summary tells how long each step took.
func (d *demo) summary(ctx context.Context) error {
	d.chapter("How long it took")
	rows := [][]terminal.Line{}
	for _, f := range d.figures {
		rows = append(rows, []terminal.Line{terminal.Text(terminal.Plain, f.what), terminal.Text(terminal.Bold, seconds(f.took))})
	}
	d.Put(terminal.Columns(rows, d.Inner(), []bool{1: true})...)
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
	rows := [][]terminal.Line{}
	for _, p := range d.repo.Pulls() {
		s := p.State()
		state := s.State
		if s.Merged {
			state = "merged"
		}
		rows = append(rows, []terminal.Line{terminal.Text(terminal.Plain, fmt.Sprintf("pull request #%d, %s", s.Number, state)), terminal.Text(terminal.Cyan, p.HTMLURL())})
	}
	rows = append(rows, []terminal.Line{terminal.Text(terminal.Plain, "Tidelock's own pages"), terminal.Text(terminal.Cyan, d.url()+"/")})
	d.Put(terminal.Columns(rows, d.Inner(), nil)...)
	d.Put(nil, terminal.Text(terminal.Bold, "Ctrl-C").And(terminal.Plain, " ends the demo and removes all that it made."))
}
