package gate

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

// TestGitHubRule20_CodeOwners: the last line that means a file decides, by
// GitHub's patterns.
func TestGitHubRule20_CodeOwners(t *testing.T) {
	f, problems, err := ParseCodeOwners([]byte(`# everything
*           @all
*.md        @writers docs@example.com # and their list
/modules/   @acme/platform
modules/*   @direct
build/      @builders
/apps/github
/apps/github/core @core
docs/**/api @api
with\ space.tf @space
{a}.tf @brace
/exact.tf	@exact
deep/x @x
!no @one
[ab].tf @two
nobody everywhere
*.secret @
***/x @y
`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"main.tf": "@all", "a/b/main.tf": "@all", "README.md": "@writers docs@example.com", "x/y/README.md": "@writers docs@example.com",
		"modules/main.tf": "@direct", "modules/net/main.tf": "@acme/platform", "x/modules/main.tf": "@all",
		"build/x": "@builders", "a/build/b/c": "@builders", "a/build": "@all",
		"apps/github": "", "apps/github/x/y": "", "apps/github/core/z": "@core", "other/apps/github": "@all",
		"docs/api": "@api", "docs/v1/api": "@api", "docs/v1/v2/api/spec.json": "@api",
		"with space.tf": "@space", "{a}.tf": "@brace", "a.tf": "@all", "exact.tf": "@exact", "dir/exact.tf": "@all",
		"deep/x": "@x", "deep/x/y": "@x", "a/deep/x": "@all", "b.tf": "@all",
	} {
		if got := strings.Join(f.Of(path), " "); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	if len(problems) != 5 || !strings.HasPrefix(lines[0], `CODEOWNERS:14: The pattern "!no" has !`) || !strings.Contains(lines[2], `"everywhere" is no owner`) {
		t.Errorf("problems:\n%s", strings.Join(lines, "\n"))
	}
	o := f.OwnersOf([]string{"apps/github/x", "modules/net/a.tf", "main.tf"})
	if len(o.Files) != 2 || strings.Join(o.Teams(), " ") != "acme/platform" {
		t.Errorf("%+v, teams %v", o, o.Teams())
	}
}

func TestCodeOwnersTooLargeIsAnError(t *testing.T) {
	if _, _, err := ParseCodeOwners(make([]byte, 3<<20)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("err = %v", err)
	}
	if _, _, err := ParseCodeOwners([]byte(strings.Repeat("#", 3<<20-1))); err != nil {
		t.Errorf("err = %v", err)
	}
	var none CodeOwnersFile
	if none.Of("x") != nil {
		t.Error("the zero value owns something")
	}
}

func FuzzCodeOwners(f *testing.F) {
	f.Add("*.md @a\n/x/ @b/c\n\\ \\# d\n", "x/y.md")
	f.Fuzz(func(t *testing.T, text, path string) {
		file, _, err := ParseCodeOwners([]byte(text))
		if err != nil {
			return
		}
		for _, o := range file.Of(path) {
			if strings.TrimSpace(o) == "" {
				t.Errorf("an empty owner from %q", text)
			}
		}
	})
}
