package binaries

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

var both = []string{planner.ToolTerraform, planner.ToolOpenTofu}

func asks(name string, constraints ...string) planner.Tool {
	w := planner.Tool{Name: name}
	for _, c := range constraints {
		w.Needs = append(w.Needs, planner.ToolNeed{Constraint: c, From: "live/a/versions.tf:3"})
	}
	return w
}

func pick(w planner.Tool, which, match string) planner.Tool {
	w.Pick, w.Match = which, match
	return w
}

func TestWhichVersionAProjectGets(t *testing.T) {
	m := newMirror(t)
	for _, v := range []string{"1.2.0", "1.5.7", "1.8.5", "1.9.7", "1.9.8", "1.10.0-rc1", "1.50.0"} {
		m.release(t, planner.ToolTerraform, v)
	}
	m.release(t, planner.ToolOpenTofu, "1.8.0")
	dir := t.TempDir()
	install(t, "Terraform", "1.6.6", dir, "versions", "1.6.6", "terraform")
	install(t, "Terraform", "1.9.7", dir, "versions", "1.9.7", "terraform")
	install(t, "Terraform", "1.12.0-beta1", dir, "versions", "1.12.0-beta1", "terraform")
	install(t, "OpenTofu", "1.7.0", dir, "OpenTofu", "1.7.0", "tofu")
	own := Binary{planner.ToolTerraform, "1.11.4", install(t, "Terraform", "1.11.4", dir, "own", "terraform")}
	for _, c := range []struct {
		name       string
		want       planner.Tool
		no         bool // downloads
		get        string
		source     string
		wantsError string
	}{
		{name: "nothing said", want: planner.Tool{}, get: "Terraform 1.11.4", source: SourceDefault},
		{name: "the server's own will do", want: asks("", ">= 1.5"), get: "Terraform 1.11.4", source: SourceDefault},
		{name: "the newest installed", want: asks("terraform", "< 1.11"), get: "Terraform 1.9.7", source: SourceInstalled},
		{name: "an older installed before a download", want: asks("terraform", "~> 1.6"), get: "Terraform 1.11.4", source: SourceDefault},
		{name: "exactly, installed", want: asks("terraform", "= 1.6.6"), get: "Terraform 1.6.6", source: SourceInstalled},
		{name: "exactly, released", want: asks("terraform", "= 1.9.8", ">= 1.5"), get: "Terraform 1.9.8", source: SourceDownload},
		{name: "the newest released", want: asks("terraform", "~> 1.8.0"), get: "Terraform 1.8.5", source: SourceDownload},
		{name: "latest", want: pick(asks("terraform"), planner.PickNewest, ""), get: "Terraform 1.50.0", source: SourceDownload},
		{name: "latest of a pattern", want: pick(asks("terraform"), planner.PickNewest, `^1.5`), get: "Terraform 1.50.0", source: SourceDownload},
		{name: "latest of a stricter one", want: pick(asks("terraform"), planner.PickNewest, `^1\.5\.`), get: "Terraform 1.5.7", source: SourceDownload},
		{name: "latest that is here", want: pick(asks("terraform", "< 1.12", ">= 1.10"), planner.PickNewest, ""), get: "Terraform 1.11.4", source: SourceDefault},
		{name: "the oldest", want: pick(asks("terraform", ">= 1.6"), planner.PickOldest, ""), get: "Terraform 1.6.6", source: SourceInstalled},
		{name: "the oldest released", want: pick(asks("terraform", ">= 1.5"), planner.PickOldest, ""), get: "Terraform 1.5.7", source: SourceDownload},
		{name: "a pre-release by its name", want: asks("terraform", "= 1.10.0-rc1"), get: "Terraform 1.10.0-rc1", source: SourceDownload},
		{name: "an installed one by its name", want: asks("terraform", "= 1.12.0-beta1"), get: "Terraform 1.12.0-beta1", source: SourceInstalled},
		{name: "but by no other way", want: asks("terraform", ">= 1.12.0-beta1, < 1.13"), wantsError: "none meets that"},
		{name: "the other tool", want: asks("tofu"), get: "OpenTofu 1.7.0", source: SourceInstalled},
		{name: "the other tool, released", want: asks("tofu", ">= 1.8"), get: "OpenTofu 1.8.0", source: SourceDownload},
		{name: "without downloads", no: true, want: asks("tofu", ">= 1.8"), wantsError: "No OpenTofu that is here meets what is asked for: OpenTofu >= 1.8 (live/a/versions.tf:3). This server has OpenTofu 1.7.0 (terraform.tools_dirs). " +
			"It downloads none, since terraform.download is off. Ask for one that it has, or have its operator install one with `tidelock tools install tofu VERSION`, put one into a folder of terraform.tools_dirs, or set terraform.download."},
		{name: "latest without downloads", no: true, want: pick(asks("terraform"), planner.PickNewest, ""), get: "Terraform 1.11.4", source: SourceDefault},
		{name: "oldest without downloads", no: true, want: pick(asks("terraform"), planner.PickOldest, ""), get: "Terraform 1.6.6", source: SourceInstalled},
		{name: "too old", want: asks("terraform", "= 1.3.0"), wantsError: "What is older than 1.5.0 can't be used here"},
		{name: "the oldest of all", want: pick(asks("terraform"), planner.PickOldest, ""), get: "Terraform 1.5.7", source: SourceDownload},
		{name: "a contradiction", want: planner.Tool{Problem: planner.Problem{Path: "a/.terraform-version", Line: 1, Message: "These contradict each other."}}, wantsError: "a/.terraform-version:1: These contradict each other."},
		{name: "a contradiction in code", want: asks("terraform", "= 1.9.8", "= 1.9.7"), wantsError: "No version can meet all of that"},
		{name: "not a constraint", want: asks("terraform", "about one"), wantsError: `live/a/versions.tf:3: "about one" is no version constraint`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := m.options(t)
			o.Default, o.Dirs, o.Download = own, []string{dir, filepath.Join(dir, "not there")}, !c.no
			got, err := Open(o).Choose(t.Context(), c.want, true)
			if c.wantsError != "" {
				if err == nil || !strings.Contains(errs.Sentence(err), c.wantsError) || errs.KindOf(err) == errs.Internal {
					t.Errorf("got %+v, %v (%s)", got, err, errs.KindOf(err))
				}
				return
			}
			if err != nil || got.String() != c.get || got.Source != c.source {
				t.Errorf("got %s, %s, %v", got, got.Source, err)
			}
		})
	}
}

// runs is what a binary says of itself.
func runs(t *testing.T, b Binary) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), b.Path, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

func TestDownload(t *testing.T) {
	m := newMirror(t)
	for _, name := range both {
		m.release(t, name, "1.9.8")
		m.release(t, name, "1.9.7")
		t.Run(name, func(t *testing.T) {
			o := m.options(t)
			var last Download
			o.Progress = func(b Binary, d Download) { last = d }
			b, err := Open(o).Resolve(t.Context(), asks(name, "~> 1.9.0"))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := runs(t, b), planner.ToolTitle(name)+" v1.9.8"; got != want {
				t.Errorf("it says %q, not %q", got, want)
			}
			info, err := os.Stat(b.Path)
			if err != nil || info.Mode().Perm() != 0o555 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if last.Total == 0 && last.Done == 0 {
				// what the stand-in packs to is small, and small answers are not told of
				t.Log("no progress told")
			}
			if extra := strays(t, o.Dir); extra != "" {
				t.Errorf("left behind: %s", extra)
			}
			// Another store, as another process has it, finds it without asking.
			before := m.count(archivePath(name, "1.9.8"))
			o.Download = false
			again, err := Open(o).Resolve(t.Context(), asks(name, "~> 1.9.0"))
			if err != nil || again != b || m.count(archivePath(name, "1.9.8")) != before {
				t.Errorf("got %v, %v", again, err)
			}
		})
	}
}

// strays returns what is in a folder of downloads beside whole versions, their
// locks and lists.
func strays(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (strings.Contains(d.Name(), ".fetch-") || strings.HasSuffix(d.Name(), ".new")) {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// A download that ends in the middle is tried again, and never seen by half.
func TestHalfADownload(t *testing.T) {
	for _, name := range both {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			m.release(t, name, "1.9.8")
			halves := 100
			m.answer = func(w http.ResponseWriter, r *http.Request, content []byte) bool {
				m.mu.Lock()
				defer m.mu.Unlock()
				if r.URL.Path != archivePath(name, "1.9.8") || halves == 0 {
					return false
				}
				halves--
				w.Header().Set("Content-Type", "application/zip")
				w.Header().Set("Content-Length", "1000000")
				_, _ = w.Write(content[:len(content)/2])
				if f, ok := w.(http.Flusher); ok {
					f.Flush()
				}
				panic(http.ErrAbortHandler)
			}
			o := m.options(t)
			s := Open(o)
			if _, err := s.Resolve(t.Context(), asks(name, "= 1.9.8")); !errs.Is(err, errs.Unavailable) {
				t.Errorf("all by half: %v (%s)", err, errs.KindOf(err))
			}
			if n := m.count(archivePath(name, "1.9.8")); n != tries {
				t.Errorf("asked for %d times", n)
			}
			if _, err := os.Stat(filepath.Join(o.Dir, name, "1.9.8")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something is kept: %v", err)
			}
			m.mu.Lock()
			halves = 1
			m.mu.Unlock()
			b, err := s.Resolve(t.Context(), asks(name, "= 1.9.8"))
			if err != nil || !strings.HasSuffix(runs(t, b), "1.9.8") {
				t.Errorf("once by half: %v", err)
			}
		})
	}
}

// What a killed process left is no hindrance, and no version.
func TestKilledDownloadLeavesNothingThatIsUsed(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolTerraform, "1.9.8")
	o := m.options(t)
	left := filepath.Join(o.Dir, "terraform", ".fetch-1.9.8", "terraform")
	install(t, "Terraform", "1.9.8", left)
	if err := os.WriteFile(filepath.Join(o.Dir, "terraform", ".1.9.8.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := Open(o).Installed(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	b, err := Open(o).Resolve(t.Context(), asks("terraform", "= 1.9.8"))
	if err != nil || m.count(archivePath("terraform", "1.9.8")) != 1 {
		t.Errorf("%v, %v", b, err)
	}
	if extra := strays(t, o.Dir); extra != "" {
		t.Errorf("left behind: %s", extra)
	}
}

func TestTwentyAskAndOneDownloads(t *testing.T) {
	for _, name := range both {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			m.release(t, name, "1.9.8")
			m.release(t, name, "1.9.7")
			o := m.options(t)
			begin := make(chan struct{})
			var wg sync.WaitGroup
			for range 20 {
				s := Open(o) // as in a process of its own: nothing is shared but the folder
				wg.Go(func() {
					<-begin
					b, err := s.Resolve(t.Context(), asks(name, ">= 1.9, < 2"))
					if err != nil {
						t.Error(err)
						return
					}
					if said, err := os.ReadFile(b.Path); err != nil || len(said) != len(program(planner.ToolTitle(name), "1.9.8")) {
						t.Errorf("%d bytes, %v", len(said), err)
					}
				})
			}
			close(begin)
			wg.Wait()
			list := map[string]string{planner.ToolTerraform: "/terraform/index.json", planner.ToolOpenTofu: "/api.json"}[name]
			if a, l := m.count(archivePath(name, "1.9.8")), m.count(list); a != 1 || l != 1 {
				t.Errorf("the archive was asked for %d times, the list %d times", a, l)
			}
			if m.count(archivePath(name, "1.9.7")) != 0 {
				t.Error("an older one was downloaded too")
			}
		})
	}
}

func TestReleasesAreListedOncePerHour(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolTerraform, "1.9.7")
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	o := m.options(t)
	o.Now = func() time.Time { return now }
	newest := pick(asks("terraform", "~> 1.9.0"), planner.PickNewest, "")
	get := func(want string, lists int) {
		t.Helper()
		c, err := Open(o).Choose(t.Context(), newest, true)
		if err != nil || c.Version != want || m.count("/terraform/index.json") != lists {
			t.Errorf("got %s, %v, after %d lists", c, err, m.count("/terraform/index.json"))
		}
	}
	get("1.9.7", 1)
	m.release(t, planner.ToolTerraform, "1.9.8")
	now = now.Add(59 * time.Minute)
	get("1.9.7", 1)
	now = now.Add(2 * time.Minute)
	get("1.9.8", 2)

	// A mirror that is down: the old list is better than none.
	m.mu.Lock()
	m.answer = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	m.mu.Unlock()
	now = now.Add(48 * time.Hour)
	get("1.9.8", 3)

	// The list of another source counts for nothing.
	o.TerraformURL = m.URL + "/elsewhere"
	_, err := Open(o).Choose(t.Context(), newest, true)
	if !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "The list of releases could not be read") {
		t.Errorf("%v", err)
	}

	// A choice that was made is not made anew at once.
	m.mu.Lock()
	m.answer = nil
	m.mu.Unlock()
	o.TerraformURL = m.URL
	s := Open(o)
	for range 3 {
		if _, err := s.Resolve(t.Context(), newest); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.count(archivePath("terraform", "1.9.8")); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestAListThatCantBeRead(t *testing.T) {
	m := newMirror(t)
	m.files["/api.json"] = []byte(`{"versions":[{"id":"not a version","files":[]},{"id":"1.8.0","files":[]}]}`)
	m.files["/terraform/index.json"] = []byte(`<html>Please sign in</html>`)
	for _, name := range both {
		_, err := Open(m.options(t)).Resolve(t.Context(), asks(name, ">= 1"))
		if !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "The list of releases could not be read") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoSuchRelease(t *testing.T) {
	m := newMirror(t)
	for _, name := range both {
		m.release(t, name, "1.9.8")
		_, err := Open(m.options(t)).Resolve(t.Context(), asks(name, "= 9.9.9"))
		if want := "has no " + planner.ToolTitle(name) + " 9.9.9."; !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%v (%s)", err, errs.KindOf(err))
		}
	}
}

func TestLayoutsOfInstalledVersions(t *testing.T) {
	for layout, path := range map[string]string{
		"tfenv": "versions/1.6.6/terraform", "tenv": "Terraform/1.6.6/terraform", "asdf": "terraform/1.6.6/bin/terraform", "ours": "terraform/1.6.6/terraform",
		"tfswitch": "terraform_1.6.6", "Atlantis": "terraform1.6.6", "with a v": "versions/v1.6.6/terraform",
	} {
		t.Run(layout, func(t *testing.T) {
			dir := t.TempDir()
			want := install(t, "Terraform", "1.6.6", dir, path)
			b, err := Open(Options{Dirs: []string{dir}}).Resolve(t.Context(), asks("terraform", "= 1.6.6"))
			if err != nil || b.Path != want {
				t.Errorf("%+v, %v", b, err)
			}
			if _, err := Open(Options{Dirs: []string{dir}}).Resolve(t.Context(), asks("tofu")); !errs.Is(err, errs.NotFound) {
				t.Errorf("as OpenTofu: %v", err)
			}
		})
	}
	dir := t.TempDir()
	install(t, "OpenTofu", "1.7.0", dir, "opentofu/1.7.0/bin/tofu")
	install(t, "OpenTofu", "1.7.1", dir, "versions/1.7.1/tofu")
	all, err := Open(Options{Dirs: []string{dir}}).Installed(t.Context())
	if err != nil || len(all) != 2 || all[0].Version != "1.7.1" || all[1].Name != "tofu" {
		t.Errorf("%+v, %v", all, err)
	}
}

// A folder that names a wrong version has no project planned by that one.
func TestBinaryThatIsNotWhatItsFolderSays(t *testing.T) {
	dir := t.TempDir()
	liar := install(t, "Terraform", "1.5.0", dir, "versions", "1.9.9", "terraform")
	install(t, "OpenTofu", "1.9.8", dir, "versions", "1.9.8", "terraform")
	install(t, "Terraform", "1.9.7", dir, "versions", "1.9.7", "terraform")
	s := Open(Options{Dirs: []string{dir}})
	b, err := s.Resolve(t.Context(), asks("terraform", "~> 1.9.0"))
	if err != nil || b.Version != "1.9.7" {
		t.Errorf("%+v, %v", b, err)
	}
	all, err := s.Installed(t.Context())
	if err != nil || len(all) != 3 || !strings.Contains(all[0].Problem, "calls itself Terraform 1.5.0, not Terraform 1.9.9") || all[0].Path != liar || all[2].Problem != "" {
		t.Errorf("%+v, %v", all, err)
	}
}

// A machine that could start nothing for a moment has neither lost what is
// installed on it nor has to download again what is there.
func TestBinaryThatCouldNotBeRunOnce(t *testing.T) {
	dir := t.TempDir()
	install(t, "Terraform", "1.9.9", dir, "versions", "1.9.9", "terraform")
	install(t, "Terraform", "1.9.7", dir, "versions", "1.9.7", "terraform")
	m := newMirror(t)
	m.release(t, planner.ToolOpenTofu, "1.9.8")
	now, failing := time.Now(), false
	o := m.options(t)
	o.Dirs, o.Now = []string{dir}, func() time.Time { return now }
	o.Inspect = func(ctx context.Context, path string) (string, string, error) {
		if failing {
			return "", "", errors.New("fork: resource temporarily unavailable")
		}
		return inspect(ctx, path)
	}
	if _, err := Open(o).Resolve(t.Context(), asks("tofu", "= 1.9.8")); err != nil {
		t.Fatal(err)
	}
	s := Open(o)
	o.Download = false
	here := Open(o)
	failing = true
	if b, err := here.Resolve(t.Context(), asks("terraform", "~> 1.9.0")); err == nil {
		t.Fatalf("%+v", b)
	}
	if _, err := s.Installed(t.Context()); err != nil { // it is remembered for a while
		t.Fatal(err)
	}
	failing, now = false, now.Add(time.Second)
	if b, err := s.Resolve(t.Context(), asks("tofu", "= 1.9.8")); err != nil || m.count(archivePath("tofu", "1.9.8")) != 1 {
		t.Errorf("%+v, %v, %d downloads", b, err, m.count(archivePath("tofu", "1.9.8")))
	}
	now = now.Add(failedAge)
	if b, err := here.Resolve(t.Context(), asks("terraform", "~> 1.9.0")); err != nil || b.Version != "1.9.9" {
		t.Errorf("%+v, %v", b, err)
	}
}

// A folder that lost its binary does not stand in the way of the next download.
func TestFolderWithoutItsBinary(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolOpenTofu, "1.9.8")
	o := m.options(t)
	b, err := Open(o).Resolve(t.Context(), asks("tofu", "= 1.9.8"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.Path); err != nil {
		t.Fatal(err)
	}
	if b, err = Open(o).Resolve(t.Context(), asks("tofu", "= 1.9.8")); err != nil || runs(t, b) != "OpenTofu v1.9.8" {
		t.Errorf("%+v, %v", b, err)
	}
}

// A downloaded binary that was changed since is fetched anew.
func TestBrokenDownloadIsMended(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolOpenTofu, "1.9.8")
	o := m.options(t)
	b, err := Open(o).Resolve(t.Context(), asks("tofu", "= 1.9.8"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(b.Path, 0o755), os.WriteFile(b.Path, []byte("#!/bin/sh\nexit 1\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	b, err = Open(o).Resolve(t.Context(), asks("tofu", "= 1.9.8"))
	if err != nil || runs(t, b) != "OpenTofu v1.9.8" || m.count(archivePath("tofu", "1.9.8")) != 2 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestInstallAndPrune(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolTerraform, "1.9.7")
	m.release(t, planner.ToolTerraform, "1.9.8")
	now := time.Now()
	o := m.options(t)
	o.Download, o.Now = false, func() time.Time { return now }
	o.Default = Binary{planner.ToolTerraform, "1.11.4", install(t, "Terraform", "1.11.4", t.TempDir(), "terraform")}
	s := Open(o)
	for _, c := range []struct{ ask, want string }{{"= 1.9.7", "1.9.7"}, {"~> 1.9.0", "1.9.8"}} {
		b, err := s.Install(t.Context(), asks("terraform", c.ask))
		if err != nil || b.Version != c.want {
			t.Fatalf("%+v, %v", b, err)
		}
	}
	now = now.Add(100 * 24 * time.Hour)
	s = Open(o)
	if _, err := s.Resolve(t.Context(), asks("terraform", "= 1.9.8")); err != nil {
		t.Fatal(err)
	}
	gone, err := s.Prune(t.Context(), now.Add(-90*24*time.Hour))
	if err != nil || len(gone) != 1 || gone[0].Version != "1.9.7" {
		t.Errorf("%+v, %v", gone, err)
	}
	all, err := s.Installed(t.Context())
	if err != nil || len(all) != 2 || all[0].Version != "1.11.4" || all[1].Version != "1.9.8" {
		t.Errorf("%+v, %v", all, err)
	}
}

// hc-install loses the error of unpacking: see downloadTerraform.
func TestBinaryThatWasUnpackedByHalfIsNoticed(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolTerraform, "1.9.8")
	dir := t.TempDir()
	archive := filepath.Join(dir, "archive")
	if err := os.WriteFile(archive, m.files[archivePath("terraform", "1.9.8")], 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole := program("Terraform", "1.9.8")
	for _, c := range []struct {
		content []byte
		says    string
	}{{whole, ""}, {whole[:len(whole)-1], "was not unpacked whole"}, {append(whole[:len(whole):len(whole)], 'x'), "was not unpacked whole"}} {
		if err := os.WriteFile(filepath.Join(dir, "terraform"), c.content, 0o755); err != nil {
			t.Fatal(err)
		}
		err := unpacked(f, "terraform", dir)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d bytes: %v", len(c.content), err)
		}
	}
}

// Whoever stops waiting leaves nothing behind and gets no sentence about it.
func TestDownloadThatNobodyWaitsFor(t *testing.T) {
	m := newMirror(t)
	m.release(t, planner.ToolTerraform, "1.9.8")
	ctx, cancel := context.WithCancel(t.Context())
	m.answer = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, ".zip") {
			cancel()
			<-r.Context().Done()
			return true
		}
		return false
	}
	o := m.options(t)
	if _, err := Open(o).Resolve(ctx, asks("terraform", "= 1.9.8")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if extra := strays(t, o.Dir); extra != "" {
		t.Errorf("left behind: %s", extra)
	}
}
