package providers

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/providers/providerstest"
)

func TestFetchOnce(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "one"), platform)
	o := options(t, r)
	// Four servers on one folder, each asked five times at once.
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, o)
		for range 5 {
			wg.Go(func() {
				p, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
				if err != nil || p.SignedBy == "" || p.Source != "registry.terraform.io" || p.Files != 2 {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
	}
	wg.Wait()
	if n := r.Downloads(); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
	program := filepath.Join(o.Dir, "store", aws, "5.1.0", platform, "terraform-provider-aws_v5")
	for file, want := range map[string]fs.FileMode{program: 0o555, filepath.Join(filepath.Dir(program), "LICENSE.txt"): 0o444} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want mode %o", file, info, err, want)
		}
	}
}

func TestInterruptedDownload(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", strings.Repeat("long ", 10_000)), platform)
	s := open(t, options(t, r))
	r.BreakOff(attempts)
	_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
	fails(t, err, errs.Unavailable, "registry.terraform.io")
	nothingLeft(t, s)

	r.BreakOff(attempts - 1) // the last attempt goes well
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil {
		t.Fatal(err)
	}
	if n := r.Downloads(); n != 2*attempts {
		t.Errorf("%d attempts, want %d", n, 2*attempts)
	}
}

// TestKilledFetch: what a process that died has left is cleared by the next.
func TestKilledFetch(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	s := open(t, options(t, r))
	id := s.id(address(t, aws), "5.1.0")
	left := filepath.Join(s.o.Dir, "tmp", shortHash(id)+"-dead")
	half := filepath.Join(s.packageDir(id), "terraform-provider-aws_v5") // moved, its record not written
	for _, f := range []string{filepath.Join(left, "package.zip"), half} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the left-over is still there")
	}
	if text := read(t, half); !strings.Contains(text, "# x") {
		t.Errorf("the half package is still there: %q", text)
	}
}

func TestCanceledFetchLeavesNothing(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	s := open(t, options(t, r))
	ctx, cancel := context.WithCancel(t.Context())
	r.Alter(func(path string, body []byte) []byte {
		if strings.HasSuffix(path, ".zip") {
			cancel()
		}
		return body
	})
	if _, err := s.ensure(ctx, address(t, aws), "5.1.0"); err == nil {
		// The whole answer may have been there before the end was seen.
		t.Skip("the download was faster than its end")
	}
	nothingLeft(t, s)
}

func TestThreat_WrongSignatureIsRefused(t *testing.T) {
	_, other, err := providerstest.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		set  func(r *providerstest.Registry)
		host string
		say  string
	}{
		"another key":         {set: func(r *providerstest.Registry) { r.Keys(other) }, say: "not signed by a key"},
		"a key that is none":  {set: func(r *providerstest.Registry) { r.Keys("nonsense") }, say: "not signed by a key"},
		"no key":              {set: func(r *providerstest.Registry) { r.Keys() }, say: "names no key"},
		"sums that were made": {set: alterSums, say: "not signed by a key"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := registry(t)
			r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
			test.set(r)
			s := open(t, options(t, r))
			_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
			fails(t, err, errs.Forbidden, test.say, aws+" 5.1.0", "not used")
			nothingLeft(t, s)
			if n := r.Downloads(); n != 0 {
				t.Errorf("%d downloads of what nobody signed", n)
			}
		})
	}
}

func alterSums(r *providerstest.Registry) {
	r.Alter(func(path string, body []byte) []byte {
		if strings.HasSuffix(path, "SHA256SUMS") {
			return append(body, '\n')
		}
		return body
	})
}

// TestUnsignedOpenTofu: OpenTofu's own registry knows no key of many providers.
func TestUnsignedOpenTofu(t *testing.T) {
	r := registry(t)
	const a = "registry.opentofu.org/hashicorp/aws"
	r.Add(a, "5.1.0", pack(t, "aws", "x"), platform)
	r.Keys()
	s := open(t, options(t, r))
	p, err := s.ensure(t.Context(), address(t, a), "5.1.0")
	if err != nil || p.SignedBy != "" || !strings.Contains(p.Note, "names no key") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestThreat_WrongChecksumIsRefused(t *testing.T) {
	for _, mirrored := range []bool{false, true} {
		r := registry(t)
		r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
		evil := pack(t, "aws", "evil")
		r.Alter(func(path string, body []byte) []byte {
			if strings.HasSuffix(path, ".zip") {
				return evil
			}
			return body
		})
		o := options(t, r)
		if mirrored {
			o.NetworkMirror, o.Direct = "https://mirror.example.com/mirror/", false
		}
		s := open(t, o)
		_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
		fails(t, err, errs.Forbidden, "checksum", "altered", "not used")
		nothingLeft(t, s)
	}
}

func TestThreat_HostileArchives(t *testing.T) {
	program := providerstest.File{Name: "terraform-provider-aws", Mode: 0o755, Body: []byte("x")}
	tests := map[string]struct {
		files []providerstest.File
		kind  errs.Kind
		say   string
	}{
		"out of the folder":    {[]providerstest.File{program, {Name: "../../../../../../evil", Mode: 0o644}}, errs.Invalid, "would not stay"},
		"an absolute path":     {[]providerstest.File{program, {Name: "/evil", Mode: 0o644}}, errs.Invalid, "would not stay"},
		"a backslash":          {[]providerstest.File{program, {Name: `..\evil`, Mode: 0o644}}, errs.Invalid, "would not stay"},
		"a newline":            {[]providerstest.File{program, {Name: "a\nb", Mode: 0o644}}, errs.Invalid, "would not stay"},
		"a link":               {[]providerstest.File{program, {Name: "link", Mode: fs.ModeSymlink | 0o777, Body: []byte("/etc")}, {Name: "link/evil", Mode: 0o644}}, errs.Invalid, "neither a file nor a folder"},
		"a device":             {[]providerstest.File{program, {Name: "dev", Mode: fs.ModeDevice | 0o666}}, errs.Invalid, "neither a file nor a folder"},
		"a file as a folder":   {[]providerstest.File{program, {Name: "terraform-provider-aws/x", Mode: 0o644}}, errs.Invalid, "twice"},
		"a name twice":         {[]providerstest.File{program, program}, errs.Invalid, "twice"},
		"a bomb by its ratio":  {[]providerstest.File{program, {Name: "zeros", Mode: 0o644, Body: make([]byte, 3<<20)}}, errs.TooLarge, "too large"},
		"a bomb by its number": {append([]providerstest.File{program}, many(101)...), errs.TooLarge, "102 entries"},
		"no program":           {[]providerstest.File{{Name: "README", Mode: 0o644}}, errs.Invalid, "no program"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			archive, err := providerstest.Zip(test.files...)
			if err != nil {
				t.Fatal(err)
			}
			r := registry(t)
			r.Add(aws, "5.1.0", archive, platform)
			o := options(t, r)
			o.bounds = &bounds{bytes: 10 << 20, entries: 100, ratio: 40, slack: 1 << 20}
			s := open(t, o)
			_, err = s.ensure(t.Context(), address(t, aws), "5.1.0")
			fails(t, err, test.kind, test.say, "not used")
			nothingLeft(t, s)
			for dir := s.o.Dir; dir != "/"; dir = filepath.Dir(dir) {
				if _, err := os.Lstat(filepath.Join(dir, "evil")); err == nil {
					t.Errorf("%s/evil was written", dir)
				}
			}
		})
	}
	t.Run("a size that is a lie", func(t *testing.T) {
		archive, err := providerstest.Zip(program, providerstest.File{Name: "zeros", Mode: 0o644, Body: make([]byte, 3<<20)})
		if err != nil {
			t.Fatal(err)
		}
		// The directory at the end says 16 bytes in place of 3 MiB.
		i := bytes.LastIndex(archive, []byte("PK\x01\x02"))
		copy(archive[i+24:], []byte{16, 0, 0, 0})
		r := registry(t)
		r.Add(aws, "5.1.0", archive, platform)
		s := open(t, options(t, r))
		_, err = s.ensure(t.Context(), address(t, aws), "5.1.0")
		fails(t, err, errs.Invalid, "damaged")
		nothingLeft(t, s)
	})
}

// TestThreat_ArchiveOfCountlessEntries: one that is within its bytes could
// have so many entries that to list them takes all memory.
func TestThreat_ArchiveOfCountlessEntries(t *testing.T) {
	files := []providerstest.File{{Name: "terraform-provider-aws", Mode: 0o755, Body: []byte("x")}}
	for i := range 200 { // of 60 kB each in the list alone
		files = append(files, providerstest.File{Name: fmt.Sprintf("%03d", i) + strings.Repeat("x", 60_000), Mode: 0o644})
	}
	archive, err := providerstest.Zip(files...)
	if err != nil {
		t.Fatal(err)
	}
	r := registry(t)
	r.Add(aws, "5.1.0", archive, platform)
	s := open(t, options(t, r))
	_, err = s.ensure(t.Context(), address(t, aws), "5.1.0")
	fails(t, err, errs.TooLarge, "list of its entries", "not used")
	nothingLeft(t, s)
}

// TestThreat_FetchesLeaveTheDiskItsRoom: what a pull request has the server
// fetch ends before the disk is full, while it is downloaded and while it is
// unpacked.
func TestThreat_FetchesLeaveTheDiskItsRoom(t *testing.T) {
	for _, enough := range []int64{1, 2} { // how often there is room
		r := registry(t)
		r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
		o := options(t, r)
		var asked atomic.Int64
		o.free = func(string) (uint64, bool) {
			if asked.Add(1) > enough {
				return 1 << 10, true
			}
			return 1 << 40, true
		}
		s := open(t, o)
		_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
		fails(t, err, errs.Unavailable, "too little space")
		if n := r.Downloads(); n != 1 {
			t.Errorf("%d downloads, where there is room %d times", n, enough)
		}
		nothingLeft(t, s)
	}
	var out bytes.Buffer
	w := &roomy{w: &out, room: func() error {
		if out.Len() > 0 {
			return errs.New(errs.Unavailable, "Full.")
		}
		return nil
	}}
	_, err := io.Copy(w, io.LimitReader(rand.Reader, 10*roomEvery))
	if !errs.Is(err, errs.Unavailable) || out.Len() > 2*roomEvery {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

func many(n int) []providerstest.File {
	var out []providerstest.File
	for i := range n {
		out = append(out, providerstest.File{Name: "f" + strings.Repeat("x", i), Mode: 0o644})
	}
	return out
}

// TestThreat_RegistryOnThePrivateNetwork: what a pull request names must not
// lead into the server's own network, by name, by address or by a detour.
func TestThreat_RegistryOnThePrivateNetwork(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.100.100.200", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"} {
		r := registry(t)
		r.Add("providers.example.com/x/aws", "5.1.0", pack(t, "aws", "x"), platform)
		r.SetAddress("providers.example.com", ip)
		s := open(t, options(t, r))
		for name, files := range map[string]map[string]string{
			"by name":    {"main.tf": requires("providers.example.com/x/aws", "5.1.0")},
			"by address": {"main.tf": requires("127.0.0.1:"+port(r)+"/x/aws", "5.1.0")},
		} {
			_, err := s.Prepare(t.Context(), request("terraform", files))
			if err == nil {
				t.Errorf("%s, %s: not refused", name, ip)
			} else if name == "by name" {
				fails(t, err, errs.Forbidden, "not a public one", "providers.example.com")
			}
		}
		if n := r.Asked("/"); n != 0 {
			t.Errorf("%s: asked %d times", ip, n)
		}
		nothingLeft(t, s)
	}
	t.Run("the operator's own host may be private", func(t *testing.T) {
		r := registry(t)
		const a = "providers.example.com/x/aws"
		r.Add(a, "5.1.0", pack(t, "aws", "x"), platform)
		r.SetAddress("providers.example.com", "127.0.0.1")
		o := options(t, r)
		o.Allow = patterns(t, "registry.terraform.io/*/*", "providers.example.com/*/*")
		o.Dial = dialTo(r)
		if _, err := open(t, o).ensure(t.Context(), address(t, a), "5.1.0"); err != nil {
			t.Error(err)
		}
	})
	t.Run("by a download address", func(t *testing.T) {
		r := registry(t)
		r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
		r.Alter(func(path string, body []byte) []byte {
			return bytes.Replace(body, []byte(`"download_url":"/files`), []byte(`"download_url":"`+r.URL()+`/files`), 1)
		})
		s := open(t, options(t, r))
		_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
		fails(t, err, errs.Forbidden, "127.0.0.1", "not a public one")
		nothingLeft(t, s)
	})
	t.Run("without TLS", func(t *testing.T) {
		r := registry(t)
		r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
		r.Alter(func(path string, body []byte) []byte {
			return bytes.Replace(body, []byte(`"download_url":"/files`), []byte(`"download_url":"http://mirror.example.com/files`), 1)
		})
		s := open(t, options(t, r))
		_, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
		fails(t, err, errs.Forbidden, "TLS")
	})
}

// TestAlteredPackageIsFetchedAnew: a package that somebody wrote to is never
// used again; one that was merely copied is.
func TestAlteredPackageIsFetchedAnew(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "good"), platform)
	s := open(t, options(t, r))
	p, err := s.ensure(t.Context(), address(t, aws), "5.1.0")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(s.packageDir(p.id()), "terraform-provider-aws_v5")
	before, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	good := read(t, program)
	evil := strings.Replace(good, "good", "evil", 1) // as long as it was
	rewrite := func(text string) {
		if err := os.Chmod(program, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(program, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(program, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(good)
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil || r.Downloads() != 1 {
		t.Errorf("a package that holds what it held: %d downloads, %v", r.Downloads(), err)
	}
	if err := os.Chmod(program, 0o444); err != nil { // which a sandboxed run may do, where the files are its user's
		t.Fatal(err)
	}
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil || r.Downloads() != 2 {
		t.Errorf("a program that can't be started any more: %d downloads, %v", r.Downloads(), err)
	}
	rewrite(evil)
	if _, wrong, err := s.Verify(t.Context()); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], "was altered") {
		t.Errorf("verify says %q, %v", wrong, err)
	}
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil {
		t.Fatal(err)
	}
	if text := read(t, program); text != good || r.Downloads() != 3 {
		t.Errorf("after %d downloads the program is %q", r.Downloads(), text)
	}
	if n, wrong, err := s.Verify(t.Context()); err != nil || len(wrong) != 0 || n != 1 {
		t.Errorf("verify says %d, %q, %v", n, wrong, err)
	}
}

// TestDamagedRecord: a machine that goes down can leave a record that is empty.
// It stops neither the sweep of the others nor the next run that wants the
// package.
func TestDamagedRecord(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	r.Add(aws, "5.2.0", pack(t, "aws", "y"), platform)
	s := open(t, options(t, r))
	for _, v := range []string{"5.1.0", "5.2.0"} {
		if _, err := s.ensure(t.Context(), address(t, aws), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.metaFile(s.id(address(t, aws), "5.1.0")), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil || len(all) != 1 || all[0].Version != "5.2.0" {
		t.Fatalf("%+v, %v", all, err)
	}
	if _, err := s.Sweep(t.Context(), time.Hour, 0); err != nil {
		t.Error(err)
	}
	if _, wrong, err := s.Verify(t.Context()); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], "5.1.0") {
		t.Errorf("%q, %v", wrong, err)
	}
	if _, err := s.ensure(t.Context(), address(t, aws), "5.1.0"); err != nil || r.Downloads() != 3 {
		t.Errorf("%d downloads, %v", r.Downloads(), err)
	}
	if all, err := s.List(); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestSweep(t *testing.T) {
	r := registry(t)
	for _, v := range []string{"5.1.0", "5.2.0", "5.3.0"} {
		r.Add(aws, v, pack(t, "aws", v), platform)
	}
	now := time.Now()
	o := options(t, r)
	o.Now = func() time.Time { return now }
	s := open(t, o)
	use := func(v string) Prepared {
		p, err := s.Prepare(t.Context(), request("terraform", map[string]string{"main.tf": requires("hashicorp/aws", v)}))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := use("5.1.0")
	now = now.Add(10 * 24 * time.Hour)
	use("5.2.0")
	now = now.Add(80 * time.Hour)
	use("5.3.0")
	size := int64(0)
	all, err := s.List()
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, p := range all {
		size += p.Size
	}
	got, err := s.Sweep(t.Context(), 12*24*time.Hour, size)
	if err != nil || len(got.Removed) != 1 || got.Removed[0].Version != "5.1.0" || got.Kept != size-got.Freed {
		t.Errorf("by age: %+v, %v", got, err)
	}
	if _, err := os.Stat(old.CLIConfig); err == nil {
		t.Error("its links are still there")
	}
	got, err = s.Sweep(t.Context(), 0, 1)
	if err != nil || len(got.Removed) != 1 || got.Removed[0].Version != "5.2.0" {
		t.Errorf("by size, where 5.3.0 may be in use: %+v, %v", got, err)
	}
	if before := r.Downloads(); before != 3 {
		t.Errorf("%d downloads", before)
	}
	if again := use("5.1.0"); read(t, filepath.Join(filepath.Dir(again.CLIConfig), "mirror", aws, "5.1.0", platform, "LICENSE.txt")) != "free\n" {
		t.Error("what was removed is not fetched again")
	}
}
