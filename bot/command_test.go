package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/planner"
)

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
		{"all flags", "plan -d live/net -w prod -p net", []Command{{Verb: VerbPlan, Filter: Filter{Dirs: []string{"live/net"}, Workspaces: []string{"prod"}, Projects: []string{"net"}}}}},
		{"long and joined flags", "plan --dir=./live/net/ --workspace=prod", []Command{{Verb: VerbPlan, Filter: Filter{Dirs: []string{"live/net"}, Workspaces: []string{"prod"}}}}},
		{"quoted value", `apply -p "my project"`, []Command{{Verb: VerbApply, Filter: Filter{Projects: []string{"my project"}}}}},
		{"glob", "plan -d live/*", []Command{{Verb: VerbPlan, Filter: Filter{Dirs: []string{"live/*"}}}}},
		{"several, in order, with text between", "Looks fine.\nplan -d a\n\nand then\n/apply -d a", []Command{
			{Verb: VerbPlan, Filter: Filter{Dirs: []string{"a"}}}, {Verb: VerbApply, Filter: Filter{Dirs: []string{"a"}}}}},
		{"name alone asks for help", "@tidelock-acme", []Command{{Verb: VerbHelp}}},

		{"a sentence with the word in it", "I think we should apply this tomorrow", nil},
		{"a sentence that begins with the word", "plan looks good to me", nil},
		{"a sentence that begins with our name", "tidelock is great, thanks", nil},
		{"a sentence addressed to us", "@tidelock-acme thanks a lot", nil},
		{"another bot's command", "/lgtm", nil},
		{"quoted reply", "> apply\n\nreally?", nil},
		{"code block", "```\napply\n```", nil},
		{"code block closed by a longer fence", "```\napply\n````\nplan", []Command{{Verb: VerbPlan}}},
		{"tilde block holding a backtick fence", "~~~\n```\napply\n~~~", nil},
		{"indented code", "    apply", nil},
		{"empty", "", nil},

		{"unknown command by name", "tidelock aply", []Command{{Verb: VerbHelp, Problem: "I don't know the command `aply`. Did you mean `apply`?"}}},
		{"unknown command, nothing near", "@tidelock-acme frobnicate", []Command{{Verb: VerbHelp, Problem: "I don't know the command `frobnicate`."}}},
		{"unknown flag", "apply --force", []Command{{Verb: VerbApply, Problem: "I don't know the flag `--force`. There are `-d DIR`, `-w WORKSPACE` and `-p PROJECT`."}}},
		{"value missing", "plan -d", []Command{{Verb: VerbPlan, Problem: "`-d` needs a value."}}},
		{"flag for a value", "plan -d -w prod", []Command{{Verb: VerbPlan, Problem: "`-d` needs a value."}}},
		{"addressed, with an argument too many", "tidelock apply now", []Command{{Verb: VerbApply,
			Problem: "I don't understand `now`. There are `-d DIR`, `-w WORKSPACE` and `-p PROJECT`."}}},
		{"open quote", `tidelock plan -p "x`, []Command{{Verb: VerbPlan, Problem: `A quote (") is not closed.`}}},
		{"out of the repository", "plan -d ../other", []Command{{Verb: VerbPlan, Problem: "`-d` takes a directory inside the repository, such as `-d live/network`."}}},
		{"absolute", "plan -d /etc", []Command{{Verb: VerbPlan, Problem: "`-d` takes a directory inside the repository, such as `-d live/network`."}}},
		{"workspace that could be a flag", "plan -w=-x", []Command{{Verb: VerbPlan, Problem: "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ParseCommands(tt.body, "tidelock-acme")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilterMatch(t *testing.T) {
	p := planner.Project{Name: "net", Dir: "live/net", Workspace: "prod"}
	for _, tt := range []struct {
		f    Filter
		want bool
	}{
		{Filter{}, true},
		{Filter{Dirs: []string{"live/net"}}, true},
		{Filter{Dirs: []string{"live/*"}}, true},
		{Filter{Dirs: []string{"**"}}, true},
		{Filter{Dirs: []string{"live"}}, false},
		{Filter{Workspaces: []string{"prod"}}, true},
		{Filter{Workspaces: []string{"default"}}, false},
		{Filter{Projects: []string{"net"}, Workspaces: []string{"prod"}}, true},
		{Filter{Projects: []string{"other"}, Dirs: []string{"live/net"}}, false},
		{Filter{Dirs: []string{"live/["}, Workspaces: []string{"prod"}}, false},
		{Filter{Dirs: []string{"live/net"}, Workspaces: []string{"staging"}}, false},
	} {
		if got := tt.f.Match(p); got != tt.want {
			t.Errorf("%+v matches: %v, want %v", tt.f, got, tt.want)
		}
	}
}

// Whatever a stranger writes, parsing ends, obeys at most ten commands, and
// lets no path or flag through that leaves the repository.
func FuzzThreat_ParseCommands(f *testing.F) {
	for _, s := range []string{"plan -d a", "```\nplan", "tidelock x", "apply -d ../..", "plan -w $(id)", "@bot 'plan", "plan -d \x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := ParseCommands(body, "bot")
		if len(got) > maxCommands {
			t.Fatalf("%d commands", len(got))
		}
		for _, c := range got {
			if c.Problem != "" {
				continue
			}
			for _, d := range c.Filter.Dirs {
				if strings.HasPrefix(d, "/") || d == ".." || strings.HasPrefix(d, "../") || strings.Contains(d, "/../") {
					t.Errorf("directory %q leaves the repository", d)
				}
			}
		}
	})
}
