package web

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	gates "github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// optionsView is what somebody asked of a plan beyond the code.
type optionsView struct {
	Flags  []string `json:"flags"`           // as they are typed after --, one a word
	Alters bool     `json:"alters"`          // the plan may be another than that of the code alone
	Part   bool     `json:"part"`            // the plan is that of a part of the code
	Means  []string `json:"means,omitempty"` // what that is for whoever reads the plan, sentences
	Typed  string   `json:"typed,omitempty"` // the flags in one line
}

// viewOptions is nil where nothing was asked for. That a drift check only
// compares is its kind, not a wish.
func viewOptions(r run.Run) *optionsView {
	o := r.Options
	if r.Kind == run.Drift {
		o.RefreshOnly = false
	}
	if o.Empty() {
		return nil
	}
	v := &optionsView{Flags: o.Flags(), Alters: o.Alters(), Part: len(o.Targets) > 0, Typed: o.String()}
	for _, m := range []struct {
		yes  bool
		text string
	}{
		{o.Destroy, "It destroys everything that the project has made."},
		{o.RefreshOnly, "It only compares the state with the world."},
		{len(o.Targets) > 0, "It is a part of what the code asks for; the rest is neither shown nor applied."},
		{len(o.Replace) > 0, "It makes anew what the code would leave alone."},
		{len(o.Vars) > 0, "It holds for these values and not for those of the code."},
		{o.NoRefresh, "It trusts the state and has not looked at the world."},
	} {
		if m.yes {
			v.Means = append(v.Means, m.text)
		}
	}
	return v
}

// operationView is what a state operation does.
type operationView struct {
	Kind  planner.OperationKind `json:"kind"`
	Args  []string              `json:"args"`
	Typed string                `json:"typed"` // as it is typed: "import aws_s3_bucket.a my-bucket"
}

func viewOperation(r run.Run) *operationView {
	if r.Kind != run.StateChange || r.Operation.Kind == "" {
		return nil
	}
	return &operationView{Kind: r.Operation.Kind, Args: r.Operation.Args, Typed: r.Operation.String()}
}

// viewActor is nil for nobody.
func viewActor(a access.Actor) *access.Actor {
	if a == (access.Actor{}) {
		return nil
	}
	return &a
}

// gatesView is what the gates said when a run was let through, and of what
// they spoke. The verdicts' texts are Markdown.
type gatesView struct {
	Act         gates.Act       `json:"act"`
	HeadSHA     string          `json:"head_sha"`
	BaseSHA     string          `json:"base_sha"`
	PlanDigest  string          `json:"plan_digest,omitempty"`
	StateSerial int64           `json:"state_serial,omitempty"`
	Verdicts    []gates.Verdict `json:"verdicts"`
	At          time.Time       `json:"at,omitzero"`
}

// viewGates is nil where no gate was asked, or what they said can't be read:
// a page about a run must not fail with what is told beside it.
func viewGates(text string) *gatesView {
	var r gates.Record
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return nil
	}
	v := gatesView{
		Act: r.Act, HeadSHA: r.HeadSHA, BaseSHA: r.BaseSHA, PlanDigest: r.PlanDigest, StateSerial: r.StateSerial, Verdicts: r.Verdicts, At: r.At.UTC(),
	}
	if v.Verdicts == nil {
		v.Verdicts = []gates.Verdict{}
	}
	return &v
}

// waitsFor names the projects that a Deferred run waits for.
func waitsFor(pairs []run.Pair, r run.Run) []string {
	if r.Status != run.Deferred {
		return nil
	}
	ahead := run.Before
	if r.Kind == run.Plan {
		ahead = run.WaitsFor
	}
	var names []string
	for _, p := range ahead(pairs, r) {
		names = append(names, p.Plan.Project.Name)
	}
	return names
}

// arranged returns the pairs in the order in which they are planned and
// applied, else in their own.
func arranged(pairs []run.Pair) []run.Pair {
	pairs = slices.Clone(pairs)
	slices.SortStableFunc(pairs, func(a, b run.Pair) int {
		if a.Plan.Layer != b.Plan.Layer {
			return a.Plan.Layer - b.Plan.Layer
		}
		return a.Plan.Project.Order - b.Plan.Project.Order
	})
	return pairs
}

// Staged reports whether the projects' turns differ, and so are worth telling.
func (v changeView) Staged() bool {
	for _, p := range v.Projects {
		if p.Plan.Layer != v.Projects[0].Plan.Layer || p.Plan.Order != v.Projects[0].Plan.Order {
			return true
		}
	}
	return false
}

// turn says when a project's turn is: "layer 2", "layer 1, group 3".
func turn(r runView) string {
	text := ""
	if r.Layer > 0 {
		text = "layer " + itoa(r.Layer)
	}
	if r.Order != 0 {
		text = strings.TrimPrefix(text+", group "+itoa(r.Order), ", ")
	}
	return text
}

// people lists actors: "ada", "ada and grace", "ada, grace and eve".
func people(all []access.Actor) string {
	var names []string
	for _, a := range all {
		if n := a.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// piece is a stretch of a sentence that is code or is not.
type piece struct {
	Code bool
	Text string
}

// inline reads the little Markdown that the sentences of gates are written in:
// code in backticks, and backslashes before what is to be taken as text. It is
// for showing alone; whatever it gives is escaped like any other text.
func inline(s string) []piece {
	var (
		out  []piece
		b    strings.Builder
		code bool
	)
	end := func() {
		if b.Len() > 0 {
			out = append(out, piece{code, b.String()})
			b.Reset()
		}
	}
	s = strings.ReplaceAll(plain(s), "@\u2060", "@") // the joiner keeps GitHub from calling people
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '`' && (code || strings.IndexByte(s[i+1:], '`') >= 0):
			end()
			code = !code
		case s[i] == '\\' && !code && i+1 < len(s) && strings.IndexByte("\\`*_[]<>|~#", s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	end()
	return out
}

// sentences are the lines of a reason, each as inline gives it.
func sentences(text string) [][]piece {
	var out [][]piece
	for _, l := range strings.Split(text, "\n") {
		if strings.TrimSpace(l) != "" {
			out = append(out, inline(l))
		}
	}
	return out
}

// tellGate says a gate's verdict in sentences.
func tellGate(v gates.Verdict) []piece { return inline(gates.Sentence(v)) }
