package command

import (
	"reflect"
	"strings"
	"testing"
	"time"
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

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []Command
	}{
		{"bare", "plan", []Command{{Verb: Plan}}},
		{"slash", "/apply", []Command{{Verb: Apply}}},
		{"by product name", "tidelock unlock", []Command{{Verb: Unlock}}},
		{"by mention", "@tidelock-acme plan", []Command{{Verb: Plan}}},
		{"mention and slash", "@tidelock-acme /plan", []Command{{Verb: Plan}}},
		{"any case, white space, CRLF", "  Apply \r\n", []Command{{Verb: Apply}}},
		{"all that have no arguments", "plan\napply\nunlock\ncancel\napprove-policies\ndrift\ncost\nversion\nhelp\nretry", []Command{
			{Verb: Plan}, {Verb: Apply}, {Verb: Unlock}, {Verb: Cancel}, {Verb: ApprovePolicies},
			{Verb: Drift, Options: planner.Options{RefreshOnly: true}}, {Verb: Cost}, {Verb: Version}, {Verb: Help}, {Verb: Retry}}},

		{"all flags", "plan -d live/net -w prod -p net", []Command{{Verb: Plan, Filter: Filter{[]string{"live/net"}, []string{"prod"}, []string{"net"}}}}},
		{"long and joined flags", "plan --dir=./live/net/ --workspace=prod --project net", []Command{{Verb: Plan, Filter: Filter{[]string{"live/net"}, []string{"prod"}, []string{"net"}}}}},
		{"repeated flags, each value once", "cancel -d a -d b -d ./a -p x -p y", []Command{{Verb: Cancel, Filter: Filter{Dirs: []string{"a", "b"}, Projects: []string{"x", "y"}}}}},
		{"quoted values", `apply -p "my project" -d='a b'`, []Command{{Verb: Apply, Filter: Filter{Dirs: []string{"a b"}, Projects: []string{"my project"}}}}},
		{"patterns", "plan -d live/* -w prod-? -p 'net*'", []Command{{Verb: Plan, Filter: Filter{[]string{"live/*"}, []string{"prod-?"}, []string{"net*"}}}}},
		{"the root", "plan -d .", []Command{{Verb: Plan, Filter: dirs(".")}}},
		{"a way about inside the tree", "plan -d live/../net", []Command{{Verb: Plan, Filter: dirs("net")}}},
		{"what a rule found", "approve-policies --rule security.aws.public_ingress --rule=CKV_* -p net", []Command{{Verb: ApprovePolicies, Filter: projects("net"), Policies: Policies{Rules: []string{"security.aws.public_ingress", "CKV_*"}}}}},
		{"for a while, with a reason", `approve-policies --for 2w --reason "until the \"VPN\" is there"`, []Command{{Verb: ApprovePolicies, Policies: Policies{For: 14 * 24 * time.Hour, Reason: `until the "VPN" is there`}}}},
		{"for hours", "approve-policies --for=36H --reason 'ask @org/team'", []Command{{Verb: ApprovePolicies, Policies: Policies{For: 36 * time.Hour, Reason: "ask @org/team"}}}},
		{"taken back", "revoke-policies --rule x -d net --reason no", []Command{{Verb: RevokePolicies, Filter: dirs("net"), Policies: Policies{Rules: []string{"x"}, Reason: "no"}}}},
		{"a fork's head", "plan --head 4F2A9c1", []Command{{Verb: Plan, Head: "4f2a9c1"}}},

		{"Terraform's flags", `plan -p net -- -target=module.a -target 'aws_x.b["k"]' --replace=aws_x.c["l"] -refresh=false -parallelism=3`, []Command{{
			Verb: Plan, Filter: projects("net"), Options: planner.Options{
				Targets: []string{"module.a", `aws_x.b["k"]`}, Replace: []string{`aws_x.c["l"]`}, NoRefresh: true, Parallelism: 3}}}},
		{"variables with spaces and quotes", `plan -- -var name="a b" -var='list=["x","y"]' -var=map={"a"="5"} '-var=it=it''s'`, []Command{{
			Verb: Plan, Options: planner.Options{Vars: []string{"name=a b", `list=["x","y"]`, `map={"a"="5"}`, "it=its"}}}}},
		{"quotes taken literally after a backslash", `plan -- -var="name=say \"hi\"" -target=aws_x.a[\"k\"]`, []Command{{
			Verb: Plan, Options: planner.Options{Vars: []string{`name=say "hi"`}, Targets: []string{`aws_x.a["k"]`}}}}},
		{"nothing after the dashes", "plan --", []Command{{Verb: Plan}}},
		{"an apply's parallelism", "apply -p net -- -parallelism=2", []Command{{Verb: Apply, Filter: projects("net"), Options: planner.Options{Parallelism: 2}}}},
		{"destroy", "destroy -p net -- -target=aws_x.a", []Command{{Verb: Destroy, Filter: projects("net"), Options: planner.Options{Destroy: true, Targets: []string{"aws_x.a"}}}}},
		{"drift of a part", "drift -- -target=aws_x.a", []Command{{Verb: Drift, Options: planner.Options{RefreshOnly: true, Targets: []string{"aws_x.a"}}}}},

		{"import", "import -p net aws_s3_bucket.logs my-bucket", []Command{{Verb: Import, Filter: projects("net"), Operation: operation(Import, "aws_s3_bucket.logs", "my-bucket")}}},
		{"import, flags behind", `import 'aws_x.a["k"]' "id 1" -p net`, []Command{{Verb: Import, Filter: projects("net"), Operation: operation(Import, `aws_x.a["k"]`, "id 1")}}},
		{"import, one project anyway", "import aws_x.a[0] arn:aws:iam::1:role/x", []Command{{Verb: Import, Operation: operation(Import, "aws_x.a[0]", "arn:aws:iam::1:role/x")}}},
		{"import, after the dashes", "import -p net -- aws_x.a i-1", []Command{{Verb: Import, Filter: projects("net"), Operation: operation(Import, "aws_x.a", "i-1")}}},
		{"state rm", "/state rm -d live/net aws_x.a module.b", []Command{{Verb: StateRemove, Filter: dirs("live/net"), Operation: operation(StateRemove, "aws_x.a", "module.b")}}},
		{"state mv", "@tidelock-acme State MV aws_x.a aws_x.b", []Command{{Verb: StateMove, Operation: operation(StateMove, "aws_x.a", "aws_x.b")}}},

		{"several, in order, with text between", "Looks fine.\nplan -d a\n\nand then\n/apply -d a", []Command{{Verb: Plan, Filter: dirs("a")}, {Verb: Apply, Filter: dirs("a")}}},
		{"ten at most", strings.Repeat("plan\n", 12), []Command{{Verb: Plan}, {Verb: Plan}, {Verb: Plan}, {Verb: Plan}, {Verb: Plan},
			{Verb: Plan}, {Verb: Plan}, {Verb: Plan}, {Verb: Plan}, {Verb: Plan}}},
		{"name alone asks for help", "@tidelock-acme", []Command{{Verb: Help}}},
		{"help about something", "tidelock help plan", []Command{{Verb: Help}}},

		{"everyday words beside text", "Numbers for the finance people:\n\nCost\n\nimport -p net aws_x.a b\nrollback", nil},
		{"text below them too", "rollback\n\nor what do you think?", nil},
		{"a quote beside them", "> shall we?\n\nretry", nil},
		{"code beside them", "destroy -p net\n```\nlog\n```", nil},
		{"with a slash they count anywhere", "It broke.\n/rollback", []Command{{Verb: Rollback}}},
		{"by name they count anywhere", "It broke.\ntidelock retry -p net", []Command{{Verb: Retry, Filter: projects("net")}}},
		{"beside other commands", "plan -p net\n\nimport -p net aws_x.a b", []Command{{Verb: Plan, Filter: projects("net")}, {Verb: Import, Filter: projects("net"), Operation: operation(Import, "aws_x.a", "b")}}},
		{"more of them than are obeyed, then text", strings.Repeat("cost\n", 12) + "plan\nthanks", []Command{{Verb: Plan}}},

		{"a sentence with the word in it", "I think we should apply this tomorrow", nil},
		{"a sentence that begins with the word", "plan looks good to me", nil},
		{"a sentence after dashes", "apply -- that is what we should do", nil},
		{"a sentence after a dash", "plan - see below", nil},
		{"a sentence about importing", "import everything from the old account", nil},
		{"somebody's code", "import os.path", nil},
		{"an import that lacks its ID", "import aws_x.a", []Command{{Verb: Import, Problem: "import takes an address and the object's ID: import aws\\_s3\\_bucket.logs my-bucket."}}},
		{"lone words of two", "state\nstate rm\nimport", nil},
		{"a sentence that begins with our name", "tidelock is great, thanks", nil},
		{"a sentence addressed to us", "@tidelock-acme thanks a lot", nil},
		{"another bot's command", "/lgtm", nil},
		{"another bot's command of our name", "/plan sprint 12\n/cancel order\n/import users.csv\n/plan --sprint 12\n/state list", nil},
		{"Atlantis", "atlantis plan\natlantis apply -d x\n@atlantis plan", nil},
		{"quoted reply", "> apply\n\nreally?", nil},
		{"code block", "```\napply\n```", nil},
		{"code block closed by a longer fence", "```\napply\n````\nplan", []Command{{Verb: Plan}}},
		{"tilde block holding a backtick fence", "~~~\n```\napply\n~~~", nil},
		{"indented code", "    apply", nil},
		{"unseen in an HTML comment", "<!--\napply\n-->\nplan", []Command{{Verb: Plan}}},
		{"an HTML comment that never ends", "text <!-- template\napply", nil},
		{"an HTML comment on a line of its own", "<!-- apply -->\nplan", []Command{{Verb: Plan}}},
		{"empty", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) { same(t, Parse(tt.body, "tidelock-acme"), tt.want) })
	}
}

// What is wrong with a command is said in a sentence that tells what to type.
func TestParseProblems(t *testing.T) {
	const three = "There are `-d DIR`, `-w WORKSPACE` and `-p PROJECT`."
	const outside = "`-d` takes a directory inside the repository, such as `-d live/network`."
	for _, tt := range []struct {
		body string
		verb Verb
		want string
	}{
		{"tidelock aply", Help, "I don't know the command `aply`. Did you mean `apply`?"},
		{"tidelock apply-policies", Help, "I don't know the command `apply-policies`."},
		{"tidelock approve_policies", Help, "I don't know the command `approve_policies`. Did you mean `approve-policies`?"},
		{"@tidelock-acme frobnicate", Help, "I don't know the command `frobnicate`."},
		{"tidelock rolback -p net", Help, "I don't know the command `rolback`. Did you mean `rollback`?"},
		{"tidelock state rn aws_x.a", Help, "I don't know the command `state rn`. Did you mean `state rm`?"},
		{"tidelock state list", Help, "I don't know the command `state list`. There are `state rm` and `state mv`."},
		{"tidelock state", Help, "I don't know the command `state`. There are `state rm` and `state mv`."},

		{"approve-policies --for ever", ApprovePolicies, "`--for` takes a time such as `30d`, `2w` or `12h`."},
		{"approve-policies --for 0d", ApprovePolicies, "`--for` takes a time such as `30d`, `2w` or `12h`."},
		{"approve-policies --for 99999d", ApprovePolicies, "`--for` takes a time such as `30d`, `2w` or `12h`."},
		{"approve-policies --for 18446744073709551617h", ApprovePolicies, "`--for` takes a time such as `30d`, `2w` or `12h`."},
		{"approve-policies --for 1d --for 2d", ApprovePolicies, "`--for` can be given once."},
		{"approve-policies --reason ' '", ApprovePolicies, "`--reason` takes a few words in quotes."},
		{"approve-policies --reason a --reason b", ApprovePolicies, "`--reason` can be given once."},
		{"approve-policies --reason " + strings.Repeat("x", 501), ApprovePolicies, "A reason can have 500 letters at most."},
		{"approve-policies --rule '-p'", ApprovePolicies, "`--rule` needs a value."},
		{"approve-policies --rule=[x", ApprovePolicies, "`[x` is no valid pattern."},
		{"approve-policies --rule " + strings.Repeat("x", 301), ApprovePolicies, "What follows `--rule` can have 300 bytes at most."},
		{"revoke-policies --for 3d", RevokePolicies, "`--for` can't stand with `revoke-policies`. There are `-d DIR`, `-w WORKSPACE`, `-p PROJECT`, `--rule ID` and `--reason TEXT`."},
		{"plan --rule x", Plan, "`--rule` can't stand with `plan`. There are `-d DIR`, `-w WORKSPACE`, `-p PROJECT` and `--head SHA`."},
		{"apply --force", Apply, "I don't know the flag `--force`. " + three},
		{"plan --force", Plan, "I don't know the flag `--force`. There are `-d DIR`, `-w WORKSPACE`, `-p PROJECT` and `--head SHA`."},
		{"tidelock apply now", Apply, "I don't understand `now`. " + three},
		{"tidelock version -p x", Version, "`-p` can't stand with `version`. `version` takes no flags."},
		{"tidelock rollback --now", Rollback, "I don't know the flag `--now`. `rollback` takes no flags."},
		{"apply --head 1234567", Apply, "`--head` can't stand with `apply`. " + three},
		{"plan --projct x", Plan, "I don't know the flag `--projct`. Did you mean `--project`?"},
		{"/plan --workspcae x", Plan, "I don't know the flag `--workspcae`. Did you mean `--workspace`?"},
		{"plan -targt=aws_x.a", Plan, "I don't know the flag `-targt`. Did you mean `-target`? It goes after `--`: `plan -- -target=ADDR`."},
		{"plan -target=aws_x.a", Plan, "`-target` is Terraform's own flag. Put it after `--`: `plan -- -target=ADDR`."},
		{"/plan --refresh=false", Plan, "`-refresh` is Terraform's own flag. Put it after `--`: `plan -- -refresh=false`."},
		{"apply -target aws_x.a", Apply, "`-target` belongs to the plan: `plan -- -target=ADDR`, and then `apply`."},
		{"apply -- -target=aws_x.a", Apply, "`-target` belongs to the plan: `plan -- -target=ADDR`, and then `apply`."},
		{"unlock -parallelism=2", Unlock, "`-parallelism` can't stand with `unlock`. " + three},
		{"unlock -- -parallelism=2", Unlock, "The flag `-parallelism` is not taken. `unlock` takes nothing after `--`."},
		{"plan -- -targt=aws_x.a", Plan, "I don't know Terraform's flag `-targt`. Did you mean `-target`?"},
		{"plan -- -d live", Plan, "`-d` goes before `--`: what follows `--` is Terraform's."},
		{"plan -- -destroy", Plan, "The flag `-destroy` is not taken. The command `destroy` plans that."},
		{"plan -destroy", Plan, "The flag `-destroy` is not taken. The command `destroy` plans that."},
		{"plan -- -lock=false", Plan, "The flag `-lock` is not taken. The state is always locked."},
		{"plan -- -var-file=x.tfvars", Plan, "The flag `-var-file` is not taken. A project's variable files are listed in `tidelock.hcl`."},
		{"plan -- -state=/etc/passwd", Plan, "The flag `-state` is not taken. After `--`, `plan` takes `-target=ADDR`, `-replace=ADDR`, `-var=NAME=VALUE`, `-refresh=false` and `-parallelism=N`."},
		{"destroy -p x -- -replace=aws_x.a", Destroy, "The flag `-replace` is not taken. After `--`, `destroy` takes `-target=ADDR`, `-var=NAME=VALUE`, `-refresh=false` and `-parallelism=N`."},
		{"plan -- -target", Plan, "-target needs a value."},
		{"plan -- -parallelism=0", Plan, "-parallelism takes a number from 1 to 100."},
		{"tidelock plan —target=aws_x.a", Plan, "`—target=aws_x.a` begins with a long dash. Type two hyphens instead: `--`."},

		{"plan -d", Plan, "`-d` needs a value."},
		{"plan -d -w prod", Plan, "`-d` needs a value."},
		{"plan -d=", Plan, "`-d` needs a value."},
		{`plan -p ""`, Plan, "`-p` needs a value."},
		{`tidelock plan -p "x`, Plan, `A quote (") is not closed.`},
		{"plan -d ../other", Plan, outside},
		{"plan -d live/../../other", Plan, outside},
		{"plan -d ..", Plan, outside},
		{"plan -d /etc", Plan, outside},
		{`plan -d 'C:\Users'`, Plan, outside},
		{"import -d ../x aws_x.a b", Import, outside},
		{"plan -d live/[", Plan, "`live/[` is no valid pattern."},
		{"plan -d " + strings.Repeat("x", 301), Plan, "What follows `-d` can have 300 bytes at most."},
		{"plan" + strings.Repeat(" -p x", 3) + manyProjects(51), Plan, "`-p` can be given 50 times at most."},
		{"plan -w=-x", Plan, "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."},
		{"plan -w a/b", Plan, "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."},
		{"plan -p=-x", Plan, "`-p` takes the name of a project, as the comment shows it."},
		{"plan --head main", Plan, "`--head` takes a commit's SHA, 7 to 40 digits of it."},
		{"plan --head 123456", Plan, "`--head` takes a commit's SHA, 7 to 40 digits of it."},
		{"plan --head 1234567 --head 7654321", Plan, "`--head` can be given once."},

		{"destroy", Destroy, "`destroy` needs to be told which projects, as in `destroy -p preview-42`."},
		{"tidelock destroy -- -target=aws_x.a", Destroy, "`destroy` needs to be told which projects, as in `destroy -p preview-42`."},
		{"import -p net", Import, "import takes an address and the object's ID: import aws\\_s3\\_bucket.logs my-bucket."},
		{"import -p net bucket my-bucket", Import, "import takes the address of a resource, such as aws\\_s3\\_bucket.logs, and \"bucket\" is none."},
		{"import -p a -p b aws_x.a i-1", Import, "`import` is for one project: name it, as in `import -p network aws_s3_bucket.logs my-bucket`."},
		{"state rm -d 'live/*' aws_x.a", StateRemove, "`state rm` is for one project: name it, as in `state rm -p network aws_s3_bucket.logs`."},
		{"state mv -p net aws_x.a", StateMove, "state mv takes two addresses: state mv aws\\_s3\\_bucket.old aws\\_s3\\_bucket.new."},
		{"/state rm aws_x.a ../x", StateRemove, "state rm takes the address of a resource, such as aws\\_s3\\_bucket.logs, and \"../x\" is none."},
	} {
		name := tt.body
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			got := Parse(tt.body, "tidelock-acme")
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

func TestOfButton(t *testing.T) {
	for id, want := range map[string]bool{"plan": true, "apply": true, "unlock": true, "destroy": false, "": false, "Plan": false, "plan -p x": false, "rollback": false} {
		c, ok := OfButton(id)
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
	all := HelpText("tidelock-acme", nil)
	if len(all) > 2500 {
		t.Errorf("the help is %d bytes long", len(all))
	}
	some := HelpText("tidelock-acme", []string{"plan", "state rm"})
	for _, s := range verbs {
		row := "| `" + strings.TrimSpace(string(s.Verb)+" "+s.Args) + "` | " + s.About + " |\n"
		if !strings.Contains(all, row) {
			t.Errorf("no row for %q in\n%s", s.Verb, all)
		}
		if want := s.Verb == Plan || s.Verb == StateRemove || s.Verb == Help; strings.Contains(some, row) != want {
			t.Errorf("%q in the help of a repository that takes plan and state rm: %v", s.Verb, !want)
		}
	}
	if none := HelpText("x", []string{}); strings.Contains(none, "`plan` |") || !strings.Contains(none, "`help` |") {
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
				got := Parse(how+e.Line, "bot")
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
	if diff := cmp.Diff(Names(), planner.CommandNames(), byName); diff != "" {
		t.Errorf("planner.CommandNames and the commands' table differ:\n%s", diff)
	}
}

// Reading a command's String gives the command again, however it is addressed.
func reads(t *testing.T, c Command) {
	t.Helper()
	for _, how := range []string{"", "/", "tidelock "} {
		same(t, Parse(how+c.String(), "bot"), []Command{c})
	}
}

func TestCommandString(t *testing.T) {
	for _, s := range verbs {
		for _, e := range s.Examples {
			for _, c := range Parse(e.Line, "bot") {
				reads(t, c)
			}
		}
	}
	reads(t, Command{Verb: Plan, Filter: Filter{Dirs: []string{"-x", `a "b" 'c'`, "."}, Projects: []string{`x\y`, "it's", "two words", "naïve"}},
		Options: planner.Options{Vars: []string{`a= b="c" \ 'd'`, "x=", `m={"a"="b"}`}, Targets: []string{`aws_x.a["it's \"k\""]`}}})
	reads(t, Command{Verb: Import, Operation: operation(Import, "aws_x.a", `"quoted" \ id, with='both' kinds`)})
}

// Whatever a stranger writes, parsing ends, obeys at most ten commands, lets
// no path or flag through that leaves the repository, and answers with
// sentences that are short and do nothing in Markdown.
func FuzzParse(f *testing.F) {
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
		got := Parse(body, "bot")
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
