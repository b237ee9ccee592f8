package bot

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tidelock/tidelock/planner"
)

func dirs(d ...string) Filter     { return Filter{Dirs: d} }
func projects(p ...string) Filter { return Filter{Projects: p} }

func operation(v Verb, args ...string) planner.Operation {
	return planner.Operation{Kind: planner.OperationKind(v), Args: args}
}

// same compares commands by their fields: cmp would print and compare them by
// what String says.
func same(t *testing.T, got, want []Command) {
	t.Helper()
	type fields Command
	show := func(list []Command) (out []fields) {
		for _, c := range list {
			out = append(out, fields(c))
		}
		return out
	}
	if diff := cmp.Diff(show(want), show(got)); diff != "" {
		t.Error(diff)
	}
}

func TestParseCommands(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []Command
	}{
		{"bare", "plan", []Command{{Verb: VerbPlan}}},
		{"slash", "/apply", []Command{{Verb: VerbApply}}},
		{"by product name", "tidelock unlock", []Command{{Verb: VerbUnlock}}},
		{"by mention", "@tidelock-acme plan", []Command{{Verb: VerbPlan}}},
		{"mention and slash", "@tidelock-acme /plan", []Command{{Verb: VerbPlan}}},
		{"any case, white space, CRLF", "  Apply \r\n", []Command{{Verb: VerbApply}}},
		{"all that have no arguments", "plan\napply\nunlock\ncancel\napprove-policies\ndrift\ncost\nversion\nhelp\nretry", []Command{
			{Verb: VerbPlan}, {Verb: VerbApply}, {Verb: VerbUnlock}, {Verb: VerbCancel}, {Verb: VerbApprovePolicies},
			{Verb: VerbDrift, Options: planner.Options{RefreshOnly: true}}, {Verb: VerbCost}, {Verb: VerbVersion}, {Verb: VerbHelp}, {Verb: VerbRetry}}},

		{"all flags", "plan -d live/net -w prod -p net", []Command{{Verb: VerbPlan, Filter: Filter{[]string{"live/net"}, []string{"prod"}, []string{"net"}}}}},
		{"long and joined flags", "plan --dir=./live/net/ --workspace=prod --project net", []Command{{Verb: VerbPlan, Filter: Filter{[]string{"live/net"}, []string{"prod"}, []string{"net"}}}}},
		{"repeated flags, each value once", "cancel -d a -d b -d ./a -p x -p y", []Command{{Verb: VerbCancel, Filter: Filter{Dirs: []string{"a", "b"}, Projects: []string{"x", "y"}}}}},
		{"quoted values", `apply -p "my project" -d='a b'`, []Command{{Verb: VerbApply, Filter: Filter{Dirs: []string{"a b"}, Projects: []string{"my project"}}}}},
		{"patterns", "plan -d live/* -w prod-? -p 'net*'", []Command{{Verb: VerbPlan, Filter: Filter{[]string{"live/*"}, []string{"prod-?"}, []string{"net*"}}}}},
		{"the root", "plan -d .", []Command{{Verb: VerbPlan, Filter: dirs(".")}}},
		{"a way about inside the tree", "plan -d live/../net", []Command{{Verb: VerbPlan, Filter: dirs("net")}}},
		{"a fork's head", "plan --head 4F2A9c1", []Command{{Verb: VerbPlan, Head: "4f2a9c1"}}},

		{"Terraform's flags", `plan -p net -- -target=module.a -target 'aws_x.b["k"]' --replace=aws_x.c["l"] -refresh=false -parallelism=3`, []Command{{
			Verb: VerbPlan, Filter: projects("net"), Options: planner.Options{
				Targets: []string{"module.a", `aws_x.b["k"]`}, Replace: []string{`aws_x.c["l"]`}, NoRefresh: true, Parallelism: 3}}}},
		{"variables with spaces and quotes", `plan -- -var name="a b" -var='list=["x","y"]' -var=map={"a"="5"} '-var=it=it''s'`, []Command{{
			Verb: VerbPlan, Options: planner.Options{Vars: []string{"name=a b", `list=["x","y"]`, `map={"a"="5"}`, "it=its"}}}}},
		{"quotes taken literally after a backslash", `plan -- -var="name=say \"hi\"" -target=aws_x.a[\"k\"]`, []Command{{
			Verb: VerbPlan, Options: planner.Options{Vars: []string{`name=say "hi"`}, Targets: []string{`aws_x.a["k"]`}}}}},
		{"nothing after the dashes", "plan --", []Command{{Verb: VerbPlan}}},
		{"an apply's parallelism", "apply -p net -- -parallelism=2", []Command{{Verb: VerbApply, Filter: projects("net"), Options: planner.Options{Parallelism: 2}}}},
		{"destroy", "destroy -p net -- -target=aws_x.a", []Command{{Verb: VerbDestroy, Filter: projects("net"), Options: planner.Options{Destroy: true, Targets: []string{"aws_x.a"}}}}},
		{"drift of a part", "drift -- -target=aws_x.a", []Command{{Verb: VerbDrift, Options: planner.Options{RefreshOnly: true, Targets: []string{"aws_x.a"}}}}},

		{"import", "import -p net aws_s3_bucket.logs my-bucket", []Command{{Verb: VerbImport, Filter: projects("net"), Operation: operation(VerbImport, "aws_s3_bucket.logs", "my-bucket")}}},
		{"import, flags behind", `import 'aws_x.a["k"]' "id 1" -p net`, []Command{{Verb: VerbImport, Filter: projects("net"), Operation: operation(VerbImport, `aws_x.a["k"]`, "id 1")}}},
		{"import, one project anyway", "import aws_x.a[0] arn:aws:iam::1:role/x", []Command{{Verb: VerbImport, Operation: operation(VerbImport, "aws_x.a[0]", "arn:aws:iam::1:role/x")}}},
		{"import, after the dashes", "import -p net -- aws_x.a i-1", []Command{{Verb: VerbImport, Filter: projects("net"), Operation: operation(VerbImport, "aws_x.a", "i-1")}}},
		{"state rm", "/state rm -d live/net aws_x.a module.b", []Command{{Verb: VerbStateRemove, Filter: dirs("live/net"), Operation: operation(VerbStateRemove, "aws_x.a", "module.b")}}},
		{"state mv", "@tidelock-acme State MV aws_x.a aws_x.b", []Command{{Verb: VerbStateMove, Operation: operation(VerbStateMove, "aws_x.a", "aws_x.b")}}},

		{"several, in order, with text between", "Looks fine.\nplan -d a\n\nand then\n/apply -d a", []Command{{Verb: VerbPlan, Filter: dirs("a")}, {Verb: VerbApply, Filter: dirs("a")}}},
		{"ten at most", strings.Repeat("plan\n", 12), []Command{{Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan},
			{Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan}, {Verb: VerbPlan}}},
		{"name alone asks for help", "@tidelock-acme", []Command{{Verb: VerbHelp}}},
		{"help about something", "tidelock help plan", []Command{{Verb: VerbHelp}}},

		{"everyday words beside text", "Numbers for the finance people:\n\nCost\n\nimport -p net aws_x.a b\nrollback", nil},
		{"text below them too", "rollback\n\nor what do you think?", nil},
		{"a quote beside them", "> shall we?\n\nretry", nil},
		{"code beside them", "destroy -p net\n```\nlog\n```", nil},
		{"with a slash they count anywhere", "It broke.\n/rollback", []Command{{Verb: VerbRollback}}},
		{"by name they count anywhere", "It broke.\ntidelock retry -p net", []Command{{Verb: VerbRetry, Filter: projects("net")}}},
		{"beside other commands", "plan -p net\n\nimport -p net aws_x.a b", []Command{{Verb: VerbPlan, Filter: projects("net")}, {Verb: VerbImport, Filter: projects("net"), Operation: operation(VerbImport, "aws_x.a", "b")}}},
		{"more of them than are obeyed, then text", strings.Repeat("cost\n", 12) + "plan\nthanks", []Command{{Verb: VerbPlan}}},

		{"a sentence with the word in it", "I think we should apply this tomorrow", nil},
		{"a sentence that begins with the word", "plan looks good to me", nil},
		{"a sentence after dashes", "apply -- that is what we should do", nil},
		{"a sentence after a dash", "plan - see below", nil},
		{"a sentence about importing", "import everything from the old account", nil},
		{"somebody's code", "import os.path", nil},
		{"an import that lacks its ID", "import aws_x.a", []Command{{Verb: VerbImport, Problem: "import takes an address and the object's ID: import aws\\_s3\\_bucket.logs my-bucket."}}},
		{"lone words of two", "state\nstate rm\nimport", nil},
		{"a sentence that begins with our name", "tidelock is great, thanks", nil},
		{"a sentence addressed to us", "@tidelock-acme thanks a lot", nil},
		{"another bot's command", "/lgtm", nil},
		{"another bot's command of our name", "/plan sprint 12\n/cancel order\n/import users.csv\n/plan --sprint 12\n/state list", nil},
		{"Atlantis", "atlantis plan\natlantis apply -d x\n@atlantis plan", nil},
		{"quoted reply", "> apply\n\nreally?", nil},
		{"code block", "```\napply\n```", nil},
		{"code block closed by a longer fence", "```\napply\n````\nplan", []Command{{Verb: VerbPlan}}},
		{"tilde block holding a backtick fence", "~~~\n```\napply\n~~~", nil},
		{"indented code", "    apply", nil},
		{"unseen in an HTML comment", "<!--\napply\n-->\nplan", []Command{{Verb: VerbPlan}}},
		{"an HTML comment that never ends", "text <!-- template\napply", nil},
		{"an HTML comment on a line of its own", "<!-- apply -->\nplan", []Command{{Verb: VerbPlan}}},
		{"empty", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) { same(t, ParseCommands(tt.body, "tidelock-acme"), tt.want) })
	}
}

// What is wrong with a command is said in a sentence that tells what to type.
func TestParseCommandsProblems(t *testing.T) {
	const three = "There are `-d DIR`, `-w WORKSPACE` and `-p PROJECT`."
	const outside = "`-d` takes a directory inside the repository, such as `-d live/network`."
	for _, tt := range []struct {
		body string
		verb Verb
		want string
	}{
		{"tidelock aply", VerbHelp, "I don't know the command `aply`. Did you mean `apply`?"},
		{"tidelock apply-policies", VerbHelp, "I don't know the command `apply-policies`."},
		{"tidelock approve_policies", VerbHelp, "I don't know the command `approve_policies`. Did you mean `approve-policies`?"},
		{"@tidelock-acme frobnicate", VerbHelp, "I don't know the command `frobnicate`."},
		{"tidelock rolback -p net", VerbHelp, "I don't know the command `rolback`. Did you mean `rollback`?"},
		{"tidelock state rn aws_x.a", VerbHelp, "I don't know the command `state rn`. Did you mean `state rm`?"},
		{"tidelock state list", VerbHelp, "I don't know the command `state list`. There are `state rm` and `state mv`."},
		{"tidelock state", VerbHelp, "I don't know the command `state`. There are `state rm` and `state mv`."},

		{"apply --force", VerbApply, "I don't know the flag `--force`. " + three},
		{"plan --force", VerbPlan, "I don't know the flag `--force`. There are `-d DIR`, `-w WORKSPACE`, `-p PROJECT` and `--head SHA`."},
		{"tidelock apply now", VerbApply, "I don't understand `now`. " + three},
		{"tidelock version -p x", VerbVersion, "`-p` can't stand with `version`. `version` takes no flags."},
		{"tidelock rollback --now", VerbRollback, "I don't know the flag `--now`. `rollback` takes no flags."},
		{"apply --head 1234567", VerbApply, "`--head` can't stand with `apply`. " + three},
		{"plan --projct x", VerbPlan, "I don't know the flag `--projct`. Did you mean `--project`?"},
		{"/plan --workspcae x", VerbPlan, "I don't know the flag `--workspcae`. Did you mean `--workspace`?"},
		{"plan -targt=aws_x.a", VerbPlan, "I don't know the flag `-targt`. Did you mean `-target`? It goes after `--`: `plan -- -target=ADDR`."},
		{"plan -target=aws_x.a", VerbPlan, "`-target` is Terraform's own flag. Put it after `--`: `plan -- -target=ADDR`."},
		{"/plan --refresh=false", VerbPlan, "`-refresh` is Terraform's own flag. Put it after `--`: `plan -- -refresh=false`."},
		{"apply -target aws_x.a", VerbApply, "`-target` belongs to the plan: `plan -- -target=ADDR`, and then `apply`."},
		{"apply -- -target=aws_x.a", VerbApply, "`-target` belongs to the plan: `plan -- -target=ADDR`, and then `apply`."},
		{"unlock -parallelism=2", VerbUnlock, "`-parallelism` can't stand with `unlock`. " + three},
		{"unlock -- -parallelism=2", VerbUnlock, "The flag `-parallelism` is not taken. `unlock` takes nothing after `--`."},
		{"plan -- -targt=aws_x.a", VerbPlan, "I don't know Terraform's flag `-targt`. Did you mean `-target`?"},
		{"plan -- -d live", VerbPlan, "`-d` goes before `--`: what follows `--` is Terraform's."},
		{"plan -- -destroy", VerbPlan, "The flag `-destroy` is not taken. The command `destroy` plans that."},
		{"plan -destroy", VerbPlan, "The flag `-destroy` is not taken. The command `destroy` plans that."},
		{"plan -- -lock=false", VerbPlan, "The flag `-lock` is not taken. The state is always locked."},
		{"plan -- -var-file=x.tfvars", VerbPlan, "The flag `-var-file` is not taken. A project's variable files are listed in `tidelock.hcl`."},
		{"plan -- -state=/etc/passwd", VerbPlan, "The flag `-state` is not taken. After `--`, `plan` takes `-target=ADDR`, `-replace=ADDR`, `-var=NAME=VALUE`, `-refresh=false` and `-parallelism=N`."},
		{"destroy -p x -- -replace=aws_x.a", VerbDestroy, "The flag `-replace` is not taken. After `--`, `destroy` takes `-target=ADDR`, `-var=NAME=VALUE`, `-refresh=false` and `-parallelism=N`."},
		{"plan -- -target", VerbPlan, "-target needs a value."},
		{"plan -- -parallelism=0", VerbPlan, "-parallelism takes a number from 1 to 100."},
		{"tidelock plan —target=aws_x.a", VerbPlan, "`—target=aws_x.a` begins with a long dash. Type two hyphens instead: `--`."},

		{"plan -d", VerbPlan, "`-d` needs a value."},
		{"plan -d -w prod", VerbPlan, "`-d` needs a value."},
		{"plan -d=", VerbPlan, "`-d` needs a value."},
		{`plan -p ""`, VerbPlan, "`-p` needs a value."},
		{`tidelock plan -p "x`, VerbPlan, `A quote (") is not closed.`},
		{"plan -d ../other", VerbPlan, outside},
		{"plan -d live/../../other", VerbPlan, outside},
		{"plan -d ..", VerbPlan, outside},
		{"plan -d /etc", VerbPlan, outside},
		{`plan -d 'C:\Users'`, VerbPlan, outside},
		{"import -d ../x aws_x.a b", VerbImport, outside},
		{"plan -d live/[", VerbPlan, "`live/[` is no valid pattern."},
		{"plan -d " + strings.Repeat("x", 301), VerbPlan, "What follows `-d` can have 300 bytes at most."},
		{"plan" + strings.Repeat(" -p x", 3) + manyProjects(51), VerbPlan, "`-p` can be given 50 times at most."},
		{"plan -w=-x", VerbPlan, "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."},
		{"plan -w a/b", VerbPlan, "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."},
		{"plan -p=-x", VerbPlan, "`-p` takes the name of a project, as the comment shows it."},
		{"plan --head main", VerbPlan, "`--head` takes a commit's SHA, 7 to 40 digits of it."},
		{"plan --head 123456", VerbPlan, "`--head` takes a commit's SHA, 7 to 40 digits of it."},
		{"plan --head 1234567 --head 7654321", VerbPlan, "`--head` can be given once."},

		{"destroy", VerbDestroy, "`destroy` needs to be told which projects, as in `destroy -p preview-42`."},
		{"tidelock destroy -- -target=aws_x.a", VerbDestroy, "`destroy` needs to be told which projects, as in `destroy -p preview-42`."},
		{"import -p net", VerbImport, "import takes an address and the object's ID: import aws\\_s3\\_bucket.logs my-bucket."},
		{"import -p net bucket my-bucket", VerbImport, "import takes the address of a resource, such as aws\\_s3\\_bucket.logs, and \"bucket\" is none."},
		{"import -p a -p b aws_x.a i-1", VerbImport, "`import` is for one project: name it, as in `import -p network aws_s3_bucket.logs my-bucket`."},
		{"state rm -d 'live/*' aws_x.a", VerbStateRemove, "`state rm` is for one project: name it, as in `state rm -p network aws_s3_bucket.logs`."},
		{"state mv -p net aws_x.a", VerbStateMove, "state mv takes two addresses: state mv aws\\_s3\\_bucket.old aws\\_s3\\_bucket.new."},
		{"/state rm aws_x.a ../x", VerbStateRemove, "state rm takes the address of a resource, such as aws\\_s3\\_bucket.logs, and \"../x\" is none."},
	} {
		name := tt.body
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			got := ParseCommands(tt.body, "tidelock-acme")
			if len(got) != 1 || got[0].Verb != tt.verb || got[0].Problem != tt.want {
				t.Errorf("got %d commands, the first %+v,\nwant %q with %s", len(got), first(got), tt.verb, tt.want)
			}
		})
	}
}

func first(list []Command) any {
	type fields Command
	if len(list) == 0 {
		return nil
	}
	return fields(list[0])
}

// manyProjects returns " -p a -p aa …", n of them.
func manyProjects(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" -p " + strings.Repeat("a", i+1))
	}
	return b.String()
}

func TestCommandOfButton(t *testing.T) {
	for id, want := range map[string]bool{"plan": true, "apply": true, "unlock": true, "destroy": false, "": false, "Plan": false, "plan -p x": false, "rollback": false} {
		c, ok := CommandOfButton(id)
		if ok != want || ok && !reflect.DeepEqual(c, Command{Verb: Verb(id)}) {
			t.Errorf("button %q: %v, %v", id, c, ok)
		}
		if ok && len(id) > 20 {
			t.Errorf("GitHub takes no identifier as long as %q", id)
		}
	}
}

func TestFilterMatch(t *testing.T) {
	p := planner.Project{Name: "live/net prod", Dir: "live/net", Workspace: "prod"}
	for _, tt := range []struct {
		filter Filter
		want   bool
	}{
		{Filter{}, true},
		{dirs("live/net"), true},
		{dirs("live/*"), true},
		{dirs("**"), true},
		{dirs("other", "live/net"), true},
		{dirs("live"), false},
		{dirs("*"), false},
		{Filter{Workspaces: []string{"prod"}}, true},
		{Filter{Workspaces: []string{"p*"}}, true},
		{Filter{Workspaces: []string{"default"}}, false},
		{projects("live/net prod"), true},
		{projects("live/*"), true},
		{projects("*prod"), true},
		{projects("net"), false},
		{Filter{Projects: []string{"live/net prod"}, Workspaces: []string{"prod"}}, true},
		{Filter{Projects: []string{"other"}, Dirs: []string{"live/net"}}, false},
		{Filter{Dirs: []string{"live/["}, Workspaces: []string{"prod"}}, false},
		{Filter{Dirs: []string{"live/net"}, Workspaces: []string{"staging"}}, false},
		{dirs("live/{net,dns}"), false},
	} {
		if got := tt.filter.Match(p); got != tt.want {
			t.Errorf("%+v matches: %v, want %v", tt.filter, got, tt.want)
		}
	}
	if !dirs("{{name}}").Match(planner.Project{Dir: "{{name}}"}) {
		t.Error("a directory with braces in its name is not found")
	}
}

func TestHelpText(t *testing.T) {
	all := helpText("tidelock-acme", nil)
	if len(all) > 2500 {
		t.Errorf("the help is %d bytes long", len(all))
	}
	some := helpText("tidelock-acme", []string{"plan", "state rm"})
	for _, s := range verbs {
		row := "| `" + strings.TrimSpace(string(s.Verb)+" "+s.Args) + "` | " + s.About + " |\n"
		if !strings.Contains(all, row) {
			t.Errorf("no row for %q in\n%s", s.Verb, all)
		}
		if want := s.Verb == VerbPlan || s.Verb == VerbStateRemove || s.Verb == VerbHelp; strings.Contains(some, row) != want {
			t.Errorf("%q in the help of a repository that takes plan and state rm: %v", s.Verb, !want)
		}
	}
	if none := helpText("x", []string{}); strings.Contains(none, "`plan` |") || !strings.Contains(none, "`help` |") {
		t.Errorf("where nothing is taken, the help says\n%s", none)
	}
}

// Every command says what it does, gives examples that are read as this very
// command, and is obeyed only for those who have a role.
func TestCommandTable(t *testing.T) {
	seen := map[Verb]bool{}
	for _, s := range verbs {
		if seen[s.Verb] || s.About == "" || len(s.Examples) == 0 || strings.HasSuffix(s.About, ".") {
			t.Errorf("the row of %q lacks something", s.Verb)
		}
		seen[s.Verb] = true
		for _, e := range s.Examples {
			for _, how := range []string{"", "/", "tidelock ", "@bot "} {
				got := ParseCommands(how+e.Line, "bot")
				if len(got) != 1 || got[0].Verb != s.Verb || got[0].Problem != "" {
					t.Errorf("%q is read as %+v", how+e.Line, first(got))
				}
			}
		}
		for _, o := range s.Options {
			if !isOption(o) {
				t.Errorf("%q takes %q, which no table explains", s.Verb, o)
			}
		}
	}
}

// The repository's file can name every command and no other.
func TestCommandNamesOfConfiguration(t *testing.T) {
	byName := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(verbNames(), planner.CommandNames(), byName); diff != "" {
		t.Errorf("planner.CommandNames and the commands' table differ:\n%s", diff)
	}
}

// Reading a command's String gives the command again, however it is addressed.
func reads(t *testing.T, c Command) {
	t.Helper()
	for _, how := range []string{"", "/", "tidelock "} {
		same(t, ParseCommands(how+c.String(), "bot"), []Command{c})
	}
}

func TestCommandString(t *testing.T) {
	for _, s := range verbs {
		for _, e := range s.Examples {
			for _, c := range ParseCommands(e.Line, "bot") {
				reads(t, c)
			}
		}
	}
	reads(t, Command{Verb: VerbPlan, Filter: Filter{Dirs: []string{"-x", `a "b" 'c'`, "."}, Projects: []string{`x\y`, "it's", "two words", "naïve"}},
		Options: planner.Options{Vars: []string{`a= b="c" \ 'd'`, "x=", `m={"a"="b"}`}, Targets: []string{`aws_x.a["it's \"k\""]`}}})
	reads(t, Command{Verb: VerbImport, Operation: operation(VerbImport, "aws_x.a", `"quoted" \ id, with='both' kinds`)})
}

// Whatever a stranger writes, parsing ends, obeys at most ten commands, lets
// no path or flag through that leaves the repository, and answers with
// sentences that are short and do nothing in Markdown.
func FuzzParseCommands(f *testing.F) {
	for _, s := range []string{"plan -d a", "```\nplan", "tidelock x", "apply -d ../..", "plan -w $(id)", "@bot 'plan", "plan -d \x00", "plan -p \\\"a",
		"import -p x 'aws_x.a[\"k\"]' \"a b\"", "state mv a.b c.d\nrollback", "plan --head abcdef0 -- -var 'a=\"b' -target=a.b", "tidelock plan -- -target=@org/team",
		"destroy -d - -p=\u202e", "tidelock plan `@org`", "<!-- plan\n--> apply", "tidelock plan —x"} {
		f.Add(s)
	}
	for _, s := range verbs {
		for _, e := range s.Examples {
			f.Add(e.Line)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := ParseCommands(body, "bot")
		if len(got) > maxCommands {
			t.Fatalf("%d commands", len(got))
		}
		for _, c := range got {
			if specOf(c.Verb) == nil {
				t.Fatalf("no such command: %q", c.Verb)
			}
			if c.Problem != "" {
				harmless(t, c.Problem)
				continue
			}
			for _, d := range c.Filter.Dirs {
				if strings.HasPrefix(d, "/") || d == ".." || strings.HasPrefix(d, "../") || strings.Contains(d, "/../") {
					t.Errorf("directory %q leaves the repository", d)
				}
			}
			if s := c.String(); len(s) > 2*maxLine || invisible(s) || !utf8.ValidString(s) {
				t.Errorf("shown as %q", s)
			}
			reads(t, c)
		}
	})
}
