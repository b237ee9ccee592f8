package github_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github"
)

// owners reads a CODEOWNERS file that has nothing wrong with it.
func owners(t *testing.T, lines ...string) github.Owners {
	t.Helper()
	o, problems := github.ParseOwners([]byte(strings.Join(lines, "\n")))
	for _, p := range problems {
		t.Errorf("line %d: %s", p.Line, p.Message)
	}
	return o
}

// The patterns are those that GitHub documents, with what it says of each.
func TestGitHub20_OwnersPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern    string
		mine, them []string // paths that it matches, and that it doesn't
	}{
		{"*", []string{"a", "a/b/c.tf", ".github/CODEOWNERS"}, nil},
		{"*.js", []string{"a.js", "deep/er/b.js", ".js", "dir.js/inside.txt"}, []string{"a.jsx", "js"}},
		{"/build/logs/", []string{"build/logs/a", "build/logs/b/c"}, []string{"build/logs", "x/build/logs/a", "build/logsx/a"}},
		{"docs/*", []string{"docs/getting-started.md"}, []string{"docs/build-app/troubleshooting.md", "x/docs/a.md", "docs"}},
		{"apps/", []string{"apps/a", "x/apps/b/c"}, []string{"apps", "x/apps", "myapps/a"}},
		{"/docs/", []string{"docs/a", "docs/a/b"}, []string{"x/docs/a"}},
		{"**/logs", []string{"build/logs/a", "scripts/logs/b", "deeply/nested/logs/c/d", "logs/a", "logs"}, []string{"logsx/a", "build/log"}},
		{"/apps/github", []string{"apps/github", "apps/github/a/b"}, []string{"apps/githubx", "x/apps/github"}},
		{"/*", []string{"main.tf"}, []string{"a/main.tf"}},
		{"net/**", []string{"net/a", "net/a/b"}, []string{"net", "x/net/a"}},
		{"net/**/main.tf", []string{"net/main.tf", "net/a/main.tf", "net/a/b/main.tf"}, []string{"main.tf", "net/a/mainxtf", "net/a/b/other.tf"}},
		{"/a/*/c.tf", []string{"a/b/c.tf"}, []string{"a/c.tf", "a/b/b/c.tf"}},
		{"/envs/prod?/", []string{"envs/prod1/main.tf"}, []string{"envs/prod/main.tf", "envs/prod12/main.tf"}},
		{"a/b", []string{"a/b", "a/b/c"}, []string{"x/a/b"}},
		{"Main.tf", []string{"Main.tf"}, []string{"main.tf"}},
		{`with\ space/`, []string{"with space/a"}, []string{"with/a", "space/a"}},
		{`a\*b`, []string{"a*b"}, []string{"axb"}},
		{"*a*b*", []string{"xaxbx", "ab"}, []string{"ba", "xbxa"}},
		{"modules/**/", []string{"modules/a/b", "modules/a/b/c"}, []string{"modules/a", "modules"}},
		{"/", []string{"a", "a/b"}, nil},
		{"größe/", []string{"größe/a"}, []string{"grosse/a"}},
	} {
		o := owners(t, c.pattern+" @ada")
		for _, path := range c.mine {
			if len(o.For(path)) != 1 {
				t.Errorf("%s does not match %s", c.pattern, path)
			}
		}
		for _, path := range c.them {
			if len(o.For(path)) != 0 {
				t.Errorf("%s matches %s", c.pattern, path)
			}
		}
	}
}

func TestGitHub20_LastMatchWins(t *testing.T) {
	o := owners(t,
		"# everything, unless a later line says otherwise",
		"*            @global-owner1 @global-owner2",
		"",
		"*.tf         @octo-org/terraform #inline",
		"*.go\tdocs@example.com",
		"/apps/       @octocat",
		"/apps/github",
		"/apps/github/ours/ @doctocat\r",
		"/prod/ @x # the words after the hash are no @owners",
	)
	for path, want := range map[string]string{
		"README.md":               "@global-owner1 @global-owner2",
		"net/main.tf":             "@octo-org/terraform",
		"main.go":                 "docs@example.com",
		"apps/main.tf":            "@octocat",
		"apps/github/main.tf":     "", // nobody: whoever may write approves
		"apps/github/ours/a.tf":   "@doctocat",
		"prod/main.tf":            "@x",
		"apps/githubx/a":          "@octocat",
		"deep/apps/github/ours/a": "@global-owner1 @global-owner2",
	} {
		if got := strings.Join(o.For(path), " "); got != want {
			t.Errorf("%s belongs to %q, want %q", path, got, want)
		}
	}
}

// What GitHub cannot read it skips, line by line, and so do we; a file that is
// too large it skips altogether.
func TestGitHub20_OwnersProblems(t *testing.T) {
	o, problems := github.ParseOwners([]byte(strings.Join([]string{
		"* @ada",
		"!/docs/ @bob",
		"[a-z].tf @bob",
		`\#notes @bob`,
		"/net/ bob",
		"/net/ @bob @",
		"/net/ @bob/one/two",
		"a//b @bob",
		"/prod/ @acme/ops @some-bot[bot]",
	}, "\n")))
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
		if !strings.HasSuffix(p.Message, ".") || len(p.Message) < 20 {
			t.Errorf("line %d: %q tells nobody what to do", p.Line, p.Message)
		}
	}
	if !slices.Equal(lines, []int{2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("problems on lines %v", lines)
	}
	for path, want := range map[string]string{"docs/a": "@ada", "a.tf": "@ada", "net/a": "@ada", "prod/a": "@acme/ops @some-bot[bot]"} {
		if got := strings.Join(o.For(path), " "); got != want {
			t.Errorf("%s belongs to %q, want %q", path, got, want)
		}
	}
	large := append([]byte("* @ada\n"), []byte(strings.Repeat("# fill\n", github.MaxOwners/7))...)
	o, problems = github.ParseOwners(large)
	if len(large) <= github.MaxOwners || len(problems) != 1 || problems[0].Line != 0 || len(o.For("a")) != 0 {
		t.Errorf("%d bytes: %v, owners of a: %v", len(large), problems, o.For("a"))
	}
	if o, problems = github.ParseOwners(large[:github.MaxOwners]); len(problems) != 0 || len(o.For("a")) != 1 {
		t.Errorf("3 MB are within the limit: %v", problems)
	}
}

// A pattern is written by whoever opens a pull request: none may take long.
func TestThreat_OwnersPatternsTakeNoTime(t *testing.T) {
	evil := strings.Repeat("**/a*a*a*a*/", 40) + strings.Repeat("*a", 60) + "b @ada"
	o := owners(t, evil, strings.Repeat("?*", 400)+"x @ada")
	path := strings.Repeat(strings.Repeat("a", 60)+"/", 60) + strings.Repeat("a", 2000)
	start := time.Now()
	got := o.For(path)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
	if len(got) != 0 {
		t.Errorf("matched: %v", got)
	}
}

func FuzzOwners(f *testing.F) {
	for _, line := range []string{"* @ada", "/a/**/b/ @x/y", `with\ space @a`, "docs/*", "!a", "[", "a//b", "\\", "**", "/", "**/**/a a@b.c"} {
		f.Add([]byte(line), "docs/a/b.md")
	}
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		o, problems := github.ParseOwners(text)
		for _, p := range problems {
			if p.Message == "" || p.Line < 0 {
				t.Errorf("%+v", p)
			}
		}
		got := o.For(path)
		for _, owner := range got {
			if !strings.Contains(owner, "@") || strings.ContainsAny(owner, " \t\n") {
				t.Errorf("%q is no owner", owner)
			}
		}
		// A last line for everything leaves nothing to the others.
		all, _ := github.ParseOwners(append(append([]byte{}, text...), []byte("\n* @last\n")...))
		if len(text) < github.MaxOwners-20 && !slices.Equal(all.For(path), []string{"@last"}) {
			t.Errorf("%q belongs to %v although the last line takes all", path, all.For(path))
		}
	})
}
