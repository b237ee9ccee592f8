package proposal_test

import (
	"os"
	"testing"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/cost"
)

// What could cost less is told in a review only where a line of the change
// stands in the resource's own block.
func TestAdviceIsOfWhatTheChangeTouches(t *testing.T) {
	base := newGround(t)
	g := newGround(t)
	g.write("live/main.tf", "# another line\n\n\nresource \"aws_s3_bucket\" \"data\" {\n  bucket = \"a\"\n  acl = \"b\"\n}\n\nmodule \"m\" {\n  source = \"../mod\"\n}\n\nresource \"aws_eip\" \"new\" {\n}\n")
	g.write("mod/main.tf", "resource \"aws_sqs_queue\" \"q\" {\n  name = \"n\"\n}\n")
	advice := func() []cost.Advice {
		return []cost.Advice{{Address: "aws_s3_bucket.data"}, {Address: "module.m.aws_sqs_queue.q"}, {Address: "aws_eip.new"}, {Address: "aws_eip.nowhere"}}
	}
	look := func(e proposal.Evidence) []cost.Advice {
		g.run.Estimate = &cost.Estimate{Advice: advice()}
		g.settle(e)
		return g.run.Estimate.Advice
	}
	for name, tt := range map[string]struct {
		e    proposal.Evidence
		want [4]bool
	}{
		"what only moved isn't touched":                   {proposal.Evidence{Base: os.DirFS(base.dir)}, [4]bool{false, true, true, false}},
		"what differs because the base went on isn't":     {proposal.Evidence{Base: os.DirFS(base.dir), Changed: []string{"live/main.tf"}}, [4]bool{false, false, true, false}},
		"without anything to compare with, nothing is":    {proposal.Evidence{}, [4]bool{}},
		"without the code, nothing is and stands nowhere": {proposal.Evidence{Tree: os.DirFS(t.TempDir()), Base: os.DirFS(base.dir)}, [4]bool{}},
	} {
		got := look(tt.e)
		for i, a := range got {
			if a.Touched != tt.want[i] {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if tt.e.Tree == nil && (got[0].File != "live/main.tf" || got[0].Line != 4 || got[1].File != "mod/main.tf" || got[3].File != "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
