package comment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// long is a plan of so many resources.
func long(name string, resources int) run.Run {
	r := planned(name)
	r.Summary, r.Diff = tfplan.Summary{Update: resources}, ""
	for i := range resources {
		r.Diff += strings.ReplaceAll(resourceDiff, "web", fmt.Sprintf("web-%d", i)) + "\n\n"
	}
	return r
}

// What is too long for one comment goes on in others where that is asked for:
// nothing of it is lost, each is whole, and each fits.
func TestGitHub10_SplitCommentsHoldEverything(t *testing.T) {
	v := locked(scene(only(long("network", 60)), only(long("app", 180)), only(planned("dns")), only(long("huge", 400))))
	if parts := Comments(v); len(parts) != 1 {
		t.Fatalf("%d comments where nobody asked for more than one", len(parts))
	}
	v.Settings.SplitComments = true
	parts := Comments(v)
	if len(parts) < 3 {
		t.Fatalf("%d comments", len(parts))
	}
	shown := ""
	for i, body := range parts {
		if n := len(v.Mark(i+1)) + 1 + len(body); n > 65_536 {
			t.Errorf("comment %d has %d bytes", i+1, n)
		}
		root := markdowntest.Page(t, body)
		if subs := markdowntest.All(root, "sub"); len(subs) != 1 || !strings.Contains(markdowntest.Text(subs[0]), "commit c0ffee0") {
			t.Errorf("comment %d leaves a block open: %s", i+1, body[max(0, len(body)-300):])
		}
		shown += markdowntest.Text(root)
	}
	for _, p := range v.Pairs {
		for i := range p.Plan.Summary.Update {
			if want := fmt.Sprintf("# aws_instance.web-%d will be updated", i); !strings.Contains(shown, want) {
				t.Fatalf("%s of %s is lost", want, p.Plan.Project.Name)
			}
		}
	}
	if !strings.Contains(parts[0], "Merge") || strings.Contains(parts[1], "Merge") {
		t.Error("what to do next stands in the first comment and nowhere else")
	}
	if !strings.HasPrefix(parts[1], fmt.Sprintf("### Plans, comment 2 of %d", len(parts))) {
		t.Errorf("the second begins with %.60q", parts[1])
	}
	short := locked(scene(only(planned("network"))))
	short.Settings.SplitComments = true
	if parts := Comments(short); len(parts) != 1 || parts[0] != Render(short) {
		t.Errorf("%d comments for a short plan", len(parts))
	}
}

// However much there is, the comments have an end.
func TestGitHub10_SplitCommentsHaveAnEnd(t *testing.T) {
	var pairs []run.Pair
	for i := range 60 {
		pairs = append(pairs, only(long(fmt.Sprintf("live/p%d", i), 150)))
	}
	v := scene(pairs...)
	v.Settings.SplitComments = true
	parts := Comments(v)
	if len(parts) != maxParts {
		t.Errorf("%d comments", len(parts))
	}
	if !strings.Contains(parts[len(parts)-1], "more than comments can hold") {
		t.Error("the last comment does not say that there is more")
	}
	for i := range 3000 {
		pairs = append(pairs, only(planned(fmt.Sprintf("live/q%d", i))))
	}
	v.Pairs = pairs
	if parts := Comments(v); len(parts) != 1 || len(parts[0]) > maxComment {
		t.Errorf("a table that fills a comment makes %d", len(parts))
	}
}

func TestMarkersTellCommentsApart(t *testing.T) {
	v := scene()
	perCommit := v
	perCommit.Settings.CommentPerCommit = true
	marks := []string{v.Mark(1), v.Mark(2), v.Mark(12), perCommit.Mark(1), perCommit.Mark(2)}
	if marks[0] != "<!-- tidelock:42:7 -->" || marks[1] != "<!-- tidelock:42:7:2 -->" {
		t.Errorf("markers %q: those of an earlier version are found no more", marks)
	}
	for i, a := range marks {
		for j, b := range marks {
			if i != j && strings.Contains(a, b) {
				t.Errorf("who looks for %s finds %s", b, a)
			}
		}
	}
}
