package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/terminal"
)

// patience is how long the story waits for anything that is to happen.
const patience = 2 * time.Minute

// frame is how often live lines are redrawn for the clock in them.
const frame = 100 * time.Millisecond

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// answer is Tidelock's one comment on the pull request, "" while there is
// none.
func answer(p *githubtest.Pull) string {
	for _, c := range p.Comments() {
		if c.ByApp && strings.HasPrefix(c.Body, "<!-- tidelock:") {
			return c.Body
		}
	}
	return ""
}

// watch shows the comment as it grows until its headline contains the text and
// the check of that name has come to the conclusion, and returns how long that
// took from start.
func (d *demo) watch(ctx context.Context, p *githubtest.Pull, start time.Time, says, check, conclusion string) (time.Duration, error) {
	told := terminal.Headline(answer(p)) // what it said before is no news
	if strings.Contains(told, says) {
		told = ""
	}
	var at time.Duration
	err := d.until(ctx, start, func(elapsed time.Duration) ([]terminal.Line, bool, error) {
		body := answer(p)
		head := terminal.Headline(body)
		if head != "" && head != told {
			told = head
			d.when(elapsed, terminal.Text(terminal.Bold, head))
		}
		if strings.Contains(head, says) {
			if at == 0 {
				at = elapsed
			}
			if concluded(p, check) == conclusion {
				return nil, true, nil
			}
		} else if strings.HasPrefix(head, "❌") {
			return nil, false, fmt.Errorf("the comment was to say %q, and says:\n%s", says, plainComment(body))
		}
		return terminal.Comment(terminal.TableOf(body), terminal.Shown{Width: d.Inner() - 8}), false, nil
	})
	if errors.Is(err, errPatience) {
		err = fmt.Errorf("waited %s for the comment to say %q and for the check %s to be %q; the comment says:\n%s", patience, says, check, conclusion, plainComment(answer(p)))
	}
	return at, err
}

// reply waits for a comment of Tidelock's after the first so many, and returns
// it.
func (d *demo) reply(ctx context.Context, p *githubtest.Pull, start time.Time, after int) (string, error) {
	var body string
	err := d.until(ctx, start, func(time.Duration) ([]terminal.Line, bool, error) {
		for _, c := range p.Comments()[after:] {
			if c.ByApp {
				body = c.Body
				return nil, true, nil
			}
		}
		return nil, false, nil
	})
	if errors.Is(err, errPatience) {
		err = fmt.Errorf("no reply of the bot within %s", patience)
	}
	return body, err
}

var errPatience = errors.New("nothing happened in time")

// until looks whenever something happens at GitHub, and draws what look
// returns below a clock, until look says that it has seen enough.
func (d *demo) until(ctx context.Context, start time.Time, look func(elapsed time.Duration) (live []terminal.Line, done bool, err error)) error {
	defer d.Clear()
	late := time.NewTimer(patience)
	defer late.Stop()
	var tick <-chan time.Time
	if d.screen.Live {
		t := time.NewTicker(frame)
		defer t.Stop()
		tick = t.C
	}
	for {
		changed := d.gh.Changed()
		elapsed := time.Since(start)
		lines, done, err := look(elapsed)
		if err != nil || done {
			return err
		}
		clock := terminal.Text(terminal.Cyan, string(spinner[int(elapsed/frame)%len(spinner)])).And(terminal.Dim, fmt.Sprintf(" %.1f s", elapsed.Seconds()))
		for i, l := range lines {
			lines[i] = append(terminal.Text(terminal.Plain, "        "), l...)
		}
		d.Draw(append([]terminal.Line{clock}, lines...)...)
		select {
		case <-changed:
		case <-tick:
		case <-late.C:
			return errPatience
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// plainComment is a comment as an error tells it.
func plainComment(body string) string {
	var b strings.Builder
	for _, l := range terminal.Comment(body, terminal.Shown{Width: 100}) {
		b.WriteString("  " + l.String() + "\n")
	}
	if b.Len() == 0 {
		return "  (nothing)"
	}
	return b.String()
}

func concluded(p *githubtest.Pull, name string) string {
	for _, c := range p.Checks() {
		if c.Name == name {
			return c.Conclusion
		}
	}
	return ""
}

// show shows the comment as it is, with these sections unfolded, and the checks
// below it.
func (d *demo) show(ctx context.Context, p *githubtest.Pull, unfold ...string) error {
	lines := terminal.Comment(answer(p), terminal.Shown{Width: d.Inner() - 2, Unfold: unfold})
	lines = append(lines, nil)
	for _, c := range p.Checks() {
		sign, s := "✓", terminal.Green
		switch {
		case c.Conclusion == "":
			sign, s = "●", terminal.Yellow
		case c.Conclusion == "neutral":
			sign, s = "–", terminal.Dim
		case c.Conclusion != "success":
			sign, s = "✗", terminal.Red
		}
		lines = append(lines, terminal.Text(s, sign+" ").And(terminal.Bold, c.Name).And(terminal.Dim, "  "+c.Title).Cut(d.Inner()-2))
	}
	d.box(d.gh.Slug()+"[bot]", lines)
	return d.pause(ctx)
}

// pause gives time to read.
func (d *demo) pause(ctx context.Context) error {
	if d.Pause <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d.Pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// commentIsOf reports whether the comment speaks of that commit.
func commentIsOf(body, sha string) bool {
	return len(sha) >= 7 && strings.Contains(body, "<sub>commit "+sha[:7])
}
