package checkout

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestParseModules(t *testing.T) {
	got, err := parseModules("# all of them\n[submodule \"net\"]\n\tpath = vendor/net\n\turl = ../net.git ; beside us\n\n[submodule \"a b\"]\r\n  PATH = \"with blank\"\r\n  url=https://example.com/x\\\n.git\n  update = none\n[other]\n path = no\n[submodule \"net\"]\n branch = main\n[submodule \"half\"]\n url = x\n")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]module{
		"vendor/net": {path: "vendor/net", url: "../net.git", line: 4},
		"with blank": {path: "with blank", url: "https://example.com/x.git", skip: true, line: 8},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, text := range []string{"[submodule \"a\"\npath = x", "[submodule \"a\"]\n\n= x\n", "[submodule \"a\"]\n  path = \"x\n", "[]\n"} {
		if _, err := parseModules(text); errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.Sentence(err), ".gitmodules:") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseModulesAgreesWithGit asks git for what the file says.
func FuzzParseModulesAgreesWithGit(f *testing.F) {
	git := gitBinary()
	if git == "" {
		f.Skip("skipped: no git binary here, which this test compares with")
	}
	for _, text := range []string{
		"[submodule \"x\"]\npath = a\nurl = b\n", "[submodule \"x\"] path = a # no\n url = \"b;c\" ; d\n", "[submodule.x]\npath=a\nurl = b \\\n c\n",
		"[submodule \"a\\\"b\\\\\"]\n\tpath = \" a \"\n\turl\n", "[submodule \"x\"]\npath = a\tb  \nurl = \\t\\n\n", "[submodule \"x\"]\nur l = x\n",
		"[submodule \"x\"]\npath = a\n[Submodule \"x\"]\nPATH = b\n", "[a.b \"c\"]\nx = 1\n", "[submodule \"x\"]\n path = \"a\nb\"\n", "[submodule \"x\"]\n\r\n path = a\r\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) || strings.Contains(text, "\xef\xbb\xbf") || strings.Contains(strings.ToLower(text), "include") {
			t.Skip()
		}
		cmd := exec.Command(git, "config", "--file", "-", "--list", "-z")
		cmd.Env, cmd.Stdin, cmd.Dir = []string{"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}, strings.NewReader(text), t.TempDir()
		out, gitErr := cmd.Output()
		got, err := parseModules(text)
		if err != nil || gitErr != nil {
			t.Skip() // releases of Git differ in what they refuse
		}
		want := map[string]*module{}
		for _, entry := range strings.Split(string(out), "\x00") {
			key, value, _ := strings.Cut(entry, "\n")
			rest, ok := strings.CutPrefix(key, "submodule.")
			dot := strings.LastIndexByte(rest, '.')
			if !ok || dot < 1 {
				continue
			}
			name := rest[:dot]
			if want[name] == nil {
				want[name] = &module{}
			}
			switch rest[dot+1:] {
			case "path":
				want[name].path = strings.TrimSuffix(value, "/")
			case "url":
				want[name].url = value
			}
		}
		// Some releases of Git make a blank of each kind of space.
		space := strings.NewReplacer("\t", " ", "\v", " ", "\f", " ", "\r", " ")
		paths := func(of []string) string {
			slices.Sort(of)
			return space.Replace(strings.Join(slices.Compact(of), "\n"))
		}
		var theirs, ours []string
		for _, m := range want {
			if m.path != "" {
				theirs = append(theirs, m.path)
			}
		}
		for p := range got {
			ours = append(ours, p)
		}
		if paths(theirs) != paths(ours) {
			t.Errorf("%q: we read %q, git %q", text, ours, theirs)
		}
	})
}
