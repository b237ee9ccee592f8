package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
)

// call runs one command line and returns what it wrote and its exit code.
func call(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errOut, environ: environ}
	code = p.run(t.Context(), args)
	return out.String(), errOut.String(), code
}

func TestExitCodesAndErrorsToldOnce(t *testing.T) {
	_, good := configtest.Good(t, "")
	bad := filepath.Join(t.TempDir(), "bad.hcl")
	write(t, bad, "listen = 5\n")
	for _, tc := range []struct {
		args []string
		code int
		says string // on standard error
	}{
		{[]string{"version"}, exitOK, ""},
		{[]string{"--version"}, exitOK, ""},
		{[]string{}, exitOK, ""},
		{[]string{"help", "doctor"}, exitOK, ""},
		{[]string{"config", "check", "--config", good}, exitOK, ""},
		{[]string{"config", "check", "--config", bad}, exitUsage, "listen must be a string"},
		{[]string{"config", "show", "--config", bad}, exitUsage, "listen must be a string"},
		{[]string{"migrate", "--config", bad}, exitUsage, "data_dir is missing"},
		{[]string{"config", "show", "nothing", "--config", good}, exitFault, `There is no setting "nothing"`},
		{[]string{"docter"}, exitUsage, `There is no command "docter" in tidelock; perhaps you mean doctor.`},
		{[]string{"config", "shwo"}, exitUsage, "perhaps you mean show."},
		{[]string{"version", "--jsno"}, exitUsage, "unknown flag: --jsno"},
		{[]string{"version", "now"}, exitUsage, `takes no argument, but got "now".`},
		{[]string{"help", "nothing"}, exitUsage, "nothing"},
		{[]string{"doctor", "nothing"}, exitUsage, `There is no check "nothing"`},
		{[]string{"completion"}, exitUsage, "arg"},
		{[]string{"completion", "tcsh"}, exitUsage, "tcsh"},
		{[]string{"runner"}, exitUsage, `"dir" not set`},
		{[]string{"healthcheck", "--url", "http://127.0.0.1:1/healthz"}, exitFault, "does not answer"},
		{[]string{"healthcheck", "--config", "/no/such/file.hcl"}, exitUsage, "no such file"},
		{[]string{"healthcheck", "--url", ":"}, exitFault, "not a URL"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			stdout, stderr, code := call(t, nil, tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d; %s", code, tc.code, stderr)
			}
			if code == exitOK {
				if stderr != "" || stdout == "" {
					t.Errorf("standard error %q, output of %d bytes", stderr, len(stdout))
				}
				return
			}
			if strings.Count(stderr, tc.says) != 1 || !strings.HasPrefix(stderr, "tidelock: ") {
				t.Errorf("standard error does not tell %q once:\n%s", tc.says, stderr)
			}
			if hint := strings.Contains(stderr, "--help' for how it is used"); hint != (code == exitUsage && !strings.Contains(stderr, "the configuration has")) {
				t.Errorf("the hint at --help is wrong here:\n%s", stderr)
			}
		})
	}
}

// TestEveryCommandExplainsItself walks the tree of commands.
func TestEveryCommandExplainsItself(t *testing.T) {
	started := false
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short description %q", path, cmd.Short)
		}
		if !strings.Contains(cmd.Example, path) {
			t.Errorf("%s: its help has no example of it", path)
		}
		stdout, stderr, code := call(t, nil, append(strings.Fields(path)[1:], "--help")...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "Examples:") {
			t.Errorf("%s --help: exit %d, %s%s", path, code, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len([]rune(line)) > 160 {
				t.Errorf("%s --help: a line of %d characters: %s", path, len([]rune(line)), line)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	p := &program{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	walk(newRootCommand(p, &started))
}

func TestRunnerTakesTheShortWay(t *testing.T) {
	for _, tc := range []struct {
		args []string
		dir  string
		ok   bool
	}{
		{[]string{"runner", "--dir", "/x"}, "/x", true},
		{[]string{"runner", "--dir=/x"}, "/x", true},
		{[]string{"runner", "--dir", ""}, "", false},
		{[]string{"runner", "--help"}, "", false},
		{[]string{"runner", "--dir", "/x", "more"}, "", false},
		{[]string{"runner"}, "", false},
		{[]string{"serve", "--dir", "/x"}, "", false},
		{nil, "", false},
	} {
		if dir, ok := runnerArgs(tc.args); dir != tc.dir || ok != tc.ok {
			t.Errorf("runnerArgs(%q) = %q, %v", tc.args, dir, ok)
		}
	}
}

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(map[string]int{"status": status}); err != nil {
			panic(err)
		}
	}))
	defer server.Close()
	listen := strings.TrimPrefix(server.URL, "http://")
	t.Chdir(t.TempDir())
	if stdout, stderr, code := call(t, []string{"TIDELOCK_LISTEN=" + listen}, "healthcheck"); code != exitOK || stdout != "{\"status\":200}\n" {
		t.Errorf("a well server: exit %d, %s%s", code, stdout, stderr)
	}
	status = http.StatusServiceUnavailable
	if _, stderr, code := call(t, nil, "healthcheck", "--url", server.URL+"/healthz"); code != exitFault || !strings.Contains(stderr, "503") {
		t.Errorf("an ill server: exit %d, %s", code, stderr)
	}
}

func TestHealthURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080":    "http://127.0.0.1:8080/healthz",
		":8080":             "http://127.0.0.1:8080/healthz",
		"0.0.0.0:8080":      "http://127.0.0.1:8080/healthz",
		"[::]:8080":         "http://127.0.0.1:8080/healthz",
		"[::1]:8080":        "http://[::1]:8080/healthz",
		"tidelock.lan:8080": "http://tidelock.lan:8080/healthz",
	} {
		if got := healthURL(listen); got != want {
			t.Errorf("healthURL(%q) = %q, want %q", listen, got, want)
		}
	}
}

func TestVersionFromTheBuildsRecord(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-01-02T15:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	v := versionInfo{Go: "go1.26", OS: "linux", Arch: "amd64"}
	v.fill(info)
	if want := "tidelock 1.2.3 (0123456789ab and changes, 2026-01-02T15:04:05Z) go1.26 linux/amd64"; v.String() != want {
		t.Errorf("got  %s\nwant %s", v, want)
	}
	info.Main.Version = "v0.0.0-20260102150405-0123456789ab+dirty"
	untagged := versionInfo{}
	if untagged.fill(info); untagged.Version != "" {
		t.Errorf("a commit without a tag is called version %s", untagged.Version)
	}
	released := versionInfo{Version: "2.0.0", Commit: "fedcba", Go: "go1.26", OS: "linux", Arch: "amd64"}
	released.fill(info)
	if want := "tidelock 2.0.0 (fedcba) go1.26 linux/amd64"; released.String() != want {
		t.Errorf("the linker's word is not the last: %s", released)
	}
}

func TestConfigShowCanBeReadAgain(t *testing.T) {
	dir, file := configtest.Good(t, "public_url = \"https://a.example.com\"\npolicy {\n  levels = { \"a-rule\" = \"off\" }\n}\n")
	shown, stderr, code := call(t, nil, "config", "show", "--config", file)
	if code != exitOK {
		t.Fatal(stderr)
	}
	again := filepath.Join(dir, "again.hcl")
	// Both of the database's and both of a secret's settings are shown.
	write(t, again, shown)
	first, second := config.Read(file, nil, config.NeedAll), config.Read(again, nil, config.NeedAll)
	if len(second.Problems) > 0 {
		t.Fatalf("what config show prints has problems: %v\n%s", second.Problems, shown)
	}
	if diff := cmp.Diff(values(first), values(second)); diff != "" {
		t.Errorf("read again (-first +second):\n%s", diff)
	}
}

// values are the settings in force, wherever they come from.
func values(l *config.Reading) map[string]any {
	all := map[string]any{}
	for name, s := range l.JSON() {
		all[name] = s.Value
	}
	return all
}

func TestMigrateOnANewDatabase(t *testing.T) {
	dir := t.TempDir()
	env := []string{"TIDELOCK_DATA_DIR=" + dir, "TIDELOCK_CONFIG=" + configtest.Empty(t)}
	stdout, stderr, code := call(t, env, "migrate", "--json")
	var m migration
	if err := json.Unmarshal([]byte(stdout), &m); err != nil || code != exitOK {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if m.From != 0 || m.Version == 0 || m.Version != m.Wanted || !m.Current {
		t.Errorf("migrated: %+v", m)
	}
	if info, err := os.Stat(filepath.Join(dir, "tidelock.db")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the database's file: %v, %v", info, err)
	}
}
