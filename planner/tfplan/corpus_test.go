package tfplan

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// difference is something in which our text can't be the tools' own, or is
// better not. Both texts are compared with it taken out.
type difference struct {
	why  string
	only string // the corpus, or tool, in which it is taken out; "" for all
	take func(text string) string
}

// without returns a take that removes what the expression matches.
func except(expr string) func(string) string {
	re := regexp.MustCompile(expr)
	return func(text string) string { return re.ReplaceAllString(text, "") }
}

// differences are all of them: what is not named here has to be the same.
var differences = []difference{
	{
		why: "OpenTofu shows all of what is forgotten, further left than anything else.", only: "tofu",
		take: func(text string) string {
			heading, _, _ := strings.Cut(text, "\n")
			if strings.Contains(heading, "will be removed from the OpenTofu state") {
				return heading
			}
			return text
		},
	},
	{
		why: "OpenTofu repeats over an import the ID that the object shows.", only: "tofu",
		take: func(text string) string {
			if heading, rest, _ := strings.Cut(text, "\n"); strings.Contains(heading, "will be imported") {
				return heading + "\n" + except(`(?m)^  # \(imported from .*\n`)(rest)
			}
			return text
		},
	},
	{
		why:  "The tools take the white space off both ends of a text before they show its lines, and let carriage returns through.",
		only: "terraform_data.lines", take: except(`(?ms)^[^\n]{4,24}(blank|crlf|indent) += <<-EOT.*?^ *EOT\n`),
	},
	{
		why:  "Of a terraform_data Terraform does not say what forces its replacement, though its JSON does; we do.",
		only: "terraform_data", take: func(text string) string { return strings.ReplaceAll(text, " # forces replacement", "") },
	},
	{
		why: "A provider's schema is not in the JSON: whether an empty list that nobody set is an attribute or a kind of block. " +
			"So its deletion is not shown, and it is not counted among what is hidden. OpenTofu counts in another way than Terraform, too.",
		only: "aws_", take: except(`(?m)^(- .* = \[\] -> null| +# \(\d+ unchanged attributes? hidden\))\n`),
	},
	{
		why:  "Nor does the JSON tell sets of blocks from lists: an element that changes is shown as changed, where Terraform shows one gone and one new.",
		only: "aws_autoscaling_group.changed", take: except(`(?ms)^[ ~+-] +tag \{.*`),
	},
	{
		why:  "Nor sets of texts from lists of them: where both are sorted, we show them as sets.",
		only: "aws_security_group_rule.r", take: except(`(?m)^ +(# \(\d+ unchanged elements? hidden\)|"[\d./]+",)\n`),
	},
	{
		why: "Terraform loses the mark of a sensitive value on its way through a provider, and shows it; we don't.",
		take: func(text string) string {
			return strings.NewReplacer(`"correct horse battery"`, concealed, `"correct horse battery staple"`, concealed, `"correct horse battery2"`, concealed, `"clear2"`, concealed).Replace(text)
		},
	},
}

// blur takes the differences out, object by object.
func blur(tool, text string) string {
	objects := strings.Split(text, "\n\n  # ")
	for i, o := range objects {
		for _, d := range differences {
			if d.only == "" || d.only == tool || strings.HasPrefix(strings.TrimPrefix(o, "  # "), d.only) || strings.Contains(o, ` resource "`+d.only) || strings.Contains(o, ` data "`+d.only) {
				o = d.take(o)
			}
		}
		objects[i] = o
	}
	return strings.Join(objects, "\n\n  # ")
}

// corpus is one file of testdata/corpus: directives, and the files of each step.
type corpus struct {
	name       string
	directives map[string][]string          // by step
	steps      map[string]map[string]string // files by step
}

func readCorpus(t *testing.T, file string) corpus {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := corpus{strings.TrimSuffix(filepath.Base(file), ".txt"), map[string][]string{}, map[string]map[string]string{}}
	var step, name string
	for _, line := range strings.SplitAfter(string(b), "\n") {
		trimmed := strings.TrimSpace(line)
		if inner, ok := strings.CutPrefix(trimmed, "-- "); ok {
			step, name, _ = strings.Cut(strings.TrimSuffix(inner, " --"), "/")
			if c.steps[step] == nil {
				c.steps[step] = map[string]string{}
			}
			c.steps[step][name] = ""
			continue
		}
		if name != "" {
			c.steps[step][name] += line
		} else if n, rest, ok := strings.Cut(trimmed, " "); ok && len(n) == 1 && n >= "1" && n <= "9" {
			c.directives[n] = append(c.directives[n], rest)
		}
	}
	return c
}

// TestDiffReadsLikeTheTools holds what we make of a plan against the text of
// the real tools, line by line, over testdata/corpus: every change, the
// outputs, what drifted, and the closing line.
func TestDiffReadsLikeTheTools(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(files) < 3 {
		t.Fatalf("the corpus is not there: %v %v", files, err)
	}
	config := toolchaintest.Mirror(t)
	var digests sync.Map
	t.Cleanup(func() { // both tools plan the same of the same code, where no provider has its name in it
		for _, name := range []string{"values/1/", "life/1/"} {
			one, _ := digests.Load(name + "terraform")
			other, ok := digests.Load(name + "tofu")
			if ok && one != other {
				t.Errorf("%s: Terraform's plan has the digest %v, OpenTofu's %v", name, one, other)
			}
		}
	})
	for _, file := range files {
		c := readCorpus(t, file)
		for tool, binary := range toolchaintest.Tools(t) {
			t.Run(c.name+"/"+tool, func(t *testing.T) {
				t.Parallel()
				w := world{t, tool, binary, t.TempDir(), &digests}
				toolchaintest.Write(t, filepath.Join(w.dir, "cli.rc"), config)
				var steps []string
				for s := range c.steps {
					if s != "*" { // files of every step
						steps = append(steps, s)
					}
				}
				sort.Strings(steps)
				for i, s := range steps {
					w.step(c, s, i == len(steps)-1)
				}
			})
		}
	}
}

// world is a directory in which a tool plans and applies.
type world struct {
	t            *testing.T
	tool, binary string
	dir          string
	digests      *sync.Map // of each corpus, step and tool
}

func (w world) run(mayFail bool, args ...string) string {
	w.t.Helper()
	if !mayFail {
		return toolchaintest.CLI(w.t, w.binary, w.dir, args...)
	}
	cmd := exec.Command(w.binary, args...)
	cmd.Dir = w.dir
	cmd.Env = []string{"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"), "TF_CLI_CONFIG_FILE=" + filepath.Join(w.dir, "cli.rc"), "CHECKPOINT_DISABLE=1"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		w.t.Errorf("%v was to fail", args)
	}
	return string(out)
}

// step lays a step's files, plans them, compares, and applies.
func (w world) step(c corpus, step string, last bool) {
	w.t.Helper()
	old, err := filepath.Glob(filepath.Join(w.dir, "*.tf"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			w.t.Fatal(err)
		}
	}
	modules := false
	for _, files := range []map[string]string{c.steps["*"], c.steps[step]} {
		for name, text := range files {
			toolchaintest.Write(w.t, filepath.Join(w.dir, name), text)
			modules = modules || strings.Contains(text, "\nmodule ")
		}
	}
	if step == "1" || modules {
		w.run(false, "init", "-no-color")
	}
	plan, fails := []string{"plan", "-no-color", "-out=p"}, false
	for _, d := range c.directives[step] {
		verb, rest, _ := strings.Cut(d, " ")
		switch verb {
		case "plan":
			plan = append(plan, strings.Fields(rest)...)
		case "run":
			w.run(false, strings.Fields(rest)...)
		case "applyfails":
			fails = true
		case "world":
			w.alter(rest)
		default:
			w.t.Fatalf("directive %q", d)
		}
	}
	w.run(false, plan...)
	raw := w.run(false, "show", "-json", "p")
	p := parsed(w.t, raw)
	w.compare(step, p, w.run(false, "show", "-no-color", "p"))
	if again := w.replan(plan, step); again != nil && (again.Digest() != p.Digest() || !again.Within(p)) {
		w.t.Errorf("step %s: the same plan, made again, has another digest:\n%s", step, lineDiff(Text(p, TextOptions{}), Text(again, TextOptions{})))
	}
	w.digests.Store(c.name+"/"+step+"/"+w.tool, p.Digest())
	if !last {
		w.run(fails, "apply", "-no-color", "p")
	}
}

// replan makes a plan once more, of the first two steps alone, which have
// everything in them: each costs some of everybody's time.
func (w world) replan(args []string, step string) *Plan {
	w.t.Helper()
	if step > "2" {
		return nil
	}
	args = slices.Clone(args)
	args[slices.Index(args, "-out=p")] = "-out=again"
	w.run(false, args...)
	return parsed(w.t, w.run(false, "show", "-json", "again"))
}

// alter changes the provider's objects behind the tool's back.
func (w world) alter(what string) {
	w.t.Helper()
	kind, what, _ := strings.Cut(what, " ")
	files, err := filepath.Glob(filepath.Join(w.dir, "objects", "*", kind, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	from, to, edit := strings.Cut(what, " => ")
	if !edit {
		from = strings.TrimPrefix(what, "delete ")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		switch {
		case !bytes.Contains(b, []byte(from)):
			continue
		case edit:
			toolchaintest.Write(w.t, f, strings.ReplaceAll(string(b), from, to))
		default:
			if err := os.Remove(f); err != nil {
				w.t.Fatal(err)
			}
		}
		return
	}
	w.t.Fatalf("nothing to be altered by %q", what)
}

// compare holds our text of a plan against the tool's.
func (w world) compare(step string, p *Plan, text string) {
	w.t.Helper()
	want := toolText(text)
	var changes, drift []string
	for _, c := range p.Changes {
		if text := Diff(c, DiffOptions{}); text != "" {
			changes = append(changes, text)
		}
	}
	shown, _ := p.driftThatMatters()
	for _, c := range shown {
		drift = append(drift, Diff(c, DiffOptions{}))
	}
	closing := ""
	if len(changes) > 0 {
		closing = p.Summary().String()
	}
	got := toolParts{strings.Join(changes, "\n"), DiffOutputs(p, DiffOptions{}), strings.Join(drift, "\n"), closing}
	for _, part := range []struct{ name, want, got string }{
		{"changes", want.changes, got.changes}, {"outputs", want.outputs, got.outputs}, {"drift", want.drift, got.drift},
		{"closing line", countsOf(want.closing), countsOf(got.closing)},
	} {
		if diff := lineDiff(blur(w.tool, strings.TrimSpace(part.want)), blur(w.tool, strings.TrimSpace(part.got))); diff != "" {
			w.t.Errorf("step %s, %s: the tool's text (T) and ours (W) differ:\n%s", step, part.name, diff)
		}
	}
	// The whole text has all of it, and no more than what is ours alone.
	whole := Text(p, TextOptions{Reads: true})
	for _, part := range append(append(changes, drift...), got.outputs) {
		if !strings.Contains(whole, strings.TrimRight(part, "\n")) {
			w.t.Errorf("step %s: not in the whole text:\n%s", step, part)
		}
	}
	if os.Getenv("TIDELOCK_SHOW") != "" {
		w.t.Logf("step %s:\n%s\n%s", step, whole, p.Summary())
	}
}

// countsOf is what both tools have in their closing line: to import, add,
// change and destroy. What moves and is forgotten only some versions count.
func countsOf(line string) string {
	return strings.Join(regexp.MustCompile(`\d+ to (import|add|change|destroy)`).FindAllString(line, -1), ", ")
}

// toolParts is the text of a plan as a tool prints it, in its parts.
type toolParts struct{ changes, outputs, drift, closing string }

var marker = regexp.MustCompile(`^( *)(-/\+|\+/-|[-+~.]|<=) (.*)$`)

// toolText takes the parts out of `terraform show`, with the markers moved to
// the first column.
func toolText(text string) toolParts {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, " # ") || strings.HasPrefix(l, " . ") {
			l = " " + l // an object that is forgotten stands one column further left
		}
		if m := marker.FindStringSubmatch(l); m != nil {
			col := len(m[1]) + len(m[2]) + 1
			l = m[2] + strings.Repeat(" ", col-len(m[2])) + m[3]
		}
		lines[i] = l
	}
	text = strings.Join(lines, "\n")
	var p toolParts
	if _, rest, ok := strings.Cut(text, "which may have affected this plan:\n\n"); ok {
		end := slices.DeleteFunc([]int{strings.Index(rest, "\nUnless you have made"), strings.Index(rest, "\nThis is a refresh-only plan")}, func(i int) bool { return i < 0 })
		p.drift = strings.TrimRight(rest[:end[0]], "\n") + "\n"
		text = rest[end[0]:]
	}
	if _, rest, ok := strings.Cut(text, "will perform the following actions:\n\n"); ok {
		text = rest
		p.changes = rest
	}
	if i := strings.Index(text, "\nPlan: "); i >= 0 {
		p.changes = text[:i]
		p.closing, text, _ = strings.Cut(text[i+1:], "\n")
	}
	if i := strings.Index(text, "Changes to Outputs:"); i >= 0 {
		p.outputs = text[i:]
		if j := strings.Index(p.outputs, "\n\nYou can apply"); j >= 0 {
			p.outputs = p.outputs[:j]
		}
	}
	return p
}

// lineDiff shows in which lines two texts differ, with the lines around each;
// "" where they are the same. It goes object by object, where both have the
// same number of them.
func lineDiff(want, got string) string {
	w, g := strings.Split(want, "\n\n  # "), strings.Split(got, "\n\n  # ")
	if len(w) != len(g) {
		w, g = []string{want}, []string{got}
	}
	var b strings.Builder
	for i := range w {
		if w[i] == g[i] {
			continue
		}
		heading, _, _ := strings.Cut(w[i], "\n")
		b.WriteString("  # " + heading + "\n")
		edits := compare(anys(strings.Split(w[i], "\n")), anys(strings.Split(g[i], "\n")), func(a, b any) bool { return a == b })
		near := map[int]bool{}
		for k, e := range edits {
			if e.before < 0 || e.after < 0 {
				for n := k - 4; n <= k+4; n++ {
					near[n] = true
				}
			}
		}
		for k, e := range edits {
			mark := "  "
			switch {
			case e.after < 0:
				mark = "T "
			case e.before < 0:
				mark = "W "
			}
			if near[k] {
				b.WriteString(mark + e.line + "\n")
			} else if near[k-1] {
				b.WriteString("  ⋮\n")
			}
		}
	}
	return b.String()
}
