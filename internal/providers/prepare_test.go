package providers

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/providers/providerstest"
)

func patterns(t *testing.T, texts ...string) []Pattern {
	t.Helper()
	var out []Pattern
	for _, text := range texts {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func port(r *providerstest.Registry) string {
	u, _ := url.Parse(r.URL())
	return u.Port()
}

// dialTo connects to the registry whatever is asked for.
func dialTo(r *providerstest.Registry) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port(r))
	}
}

func TestPatterns(t *testing.T) {
	for text, want := range map[string]bool{
		"registry.terraform.io/hashicorp/aws": true, "registry.terraform.io/hashicorp/*": true, "Registry.Terraform.io/HashiCorp/*": true,
		"registry.terraform.io/*/*": true, "*/*/*": true, "registry.terraform.io/acme/*": false, "registry.opentofu.org/hashicorp/*": false,
	} {
		if got := allowed(patterns(t, text), address(t, aws)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"hashicorp/aws", "a/b/c/d", "*/hashicorp/*", "registry.terraform.io/*/aws", "registry.terraform.io/hash*/aws", "", "http://x/y"} {
		if _, err := ParsePattern(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestPrepareChooses(t *testing.T) {
	r := registry(t)
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		for _, v := range []string{"4.9.0", "5.1.0", "5.2.0", "6.0.0", "6.1.0-beta1"} {
			r.Add(host+"/hashicorp/aws", v, pack(t, "aws", v), platform)
		}
		r.Add(host+"/hashicorp/aws", "5.3.0", pack(t, "aws", "mac"), "darwin_arm64")
	}
	_, h1, err := providerstest.Hashes(pack(t, "aws", "5.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		tool  string
		files map[string]string
		want  string
	}{
		"newest that meets":               {files: map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0")}, want: aws + " 5.2.0"},
		"newest of all":                   {files: map[string]string{"a.tf": "resource \"aws_vpc\" \"a\" {}\n"}, want: aws + " 6.0.0"},
		"a prerelease by its name":        {files: map[string]string{"a.tf": requires("hashicorp/aws", "6.1.0-beta1")}, want: aws + " 6.1.0-beta1"},
		"the lock file":                   {files: map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.1.0", h1)}, want: aws + " 5.1.0"},
		"OpenTofu's own registry":         {tool: "tofu", files: map[string]string{"a.tf": requires("hashicorp/aws", ">= 5.0, < 6")}, want: "registry.opentofu.org/hashicorp/aws 5.2.0"},
		"what Terraform's lock file says": {tool: "tofu", files: map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.1.0", h1)}, want: "registry.opentofu.org/hashicorp/aws 5.1.0"},
		"only the lock file has it":       {files: map[string]string{"a.tf": "", lockName: locked(aws, "5.1.0", h1)}, want: aws + " 5.1.0"},
		"nothing":                         {files: map[string]string{"a.tf": "resource \"terraform_data\" \"a\" {}\n"}},
		"built in by its whole name":      {files: map[string]string{"a.tf": requires("terraform.io/builtin/terraform", ">= 0")}},
	}
	o := options(t, r)
	s := open(t, o)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tool := test.tool
			if tool == "" {
				tool = "terraform"
			}
			got, err := s.Prepare(t.Context(), request(tool, test.files))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, p := range got.Packages {
				all = append(all, p.Provider+" "+p.Version)
			}
			if strings.Join(all, ", ") != test.want || len(got.Notes) > 0 || got.Lock != nil {
				t.Errorf("%v, %q, lock %q", all, got.Notes, got.Lock)
			}
			// The view holds that version and no other.
			dirs, _ := filepath.Glob(filepath.Join(filepath.Dir(got.CLIConfig), "mirror", "*", "*", "*", "*", "*"))
			if len(dirs) != len(got.Packages) {
				t.Errorf("the view holds %v", dirs)
			}
			config := read(t, got.CLIConfig)
			for _, p := range got.Packages {
				if !strings.Contains(config, "exclude = [\""+p.Provider+"\"]") {
					t.Errorf("the run would ask for %s itself:\n%s", p.Provider, config)
				}
			}
		})
	}
	if n := r.Asked("/versions"); n != 2 {
		t.Errorf("the lists of two registries were asked for %d times", n)
	}
}

func TestLockFile(t *testing.T) {
	r := registry(t)
	linux, mac := pack(t, "aws", "linux"), pack(t, "aws", "mac")
	r.Add(aws, "5.1.0", linux, platform)
	r.AddPlatform(aws, "5.1.0", "darwin_arm64", mac)
	linuxZH, linuxH1, err := providerstest.Hashes(linux)
	if err != nil {
		t.Fatal(err)
	}
	macZH, macH1, err := providerstest.Hashes(mac)
	if err != nil {
		t.Fatal(err)
	}
	otherZH, otherH1, err := providerstest.Hashes(pack(t, "aws", "another release"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		hashes  []string
		version string
		amended bool
		kind    errs.Kind
		say     []string
	}{
		"written here":           {hashes: []string{linuxH1, linuxZH}},
		"no checksums":           {},
		"written on a Mac":       {hashes: []string{macH1, linuxZH, macZH}, amended: true},
		"for the Mac alone":      {hashes: []string{macH1, macZH}, kind: errs.Invalid, say: []string{"live/.terraform.lock.hcl:3", aws + " 5.1.0", "linux_amd64", "terraform providers lock -platform=linux_amd64"}},
		"for the Mac, h1 alone":  {hashes: []string{macH1}, kind: errs.Invalid, say: []string{"terraform providers lock -platform=linux_amd64"}},
		"of another release":     {hashes: []string{otherH1, otherZH}, kind: errs.Forbidden, say: []string{"live/.terraform.lock.hcl:3", "another one than was locked", "registry.terraform.io"}},
		"against the constraint": {version: "4.0.0", kind: errs.Invalid, say: []string{"pins " + aws + " to 4.0.0", "~> 5.0", "live/a.tf:3", "init -upgrade"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			version := test.version
			if version == "" {
				version = "5.1.0"
			}
			text := locked(aws, version, test.hashes...)
			got, err := open(t, options(t, r)).Prepare(t.Context(), request("terraform", map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: text}))
			if test.kind != errs.Internal {
				fails(t, err, test.kind, test.say...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !test.amended {
				if got.Lock != nil {
					t.Errorf("the lock file is to be %q", got.Lock)
				}
				return
			}
			want := slices.Sorted(slices.Values(append([]string{linuxH1}, test.hashes...)))
			if p := parseLock(got.Lock)[address(t, aws)]; p.version != "5.1.0" || !slices.Equal(p.hashes, want) {
				t.Errorf("pins %+v, want %v", p, want)
			}
			if exact := locked(aws, "5.1.0", want...); string(got.Lock) != exact {
				t.Errorf("the lock file becomes\n%s\nnot, as Terraform writes it,\n%s", got.Lock, exact)
			}
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			outside := filepath.Join(t.TempDir(), "outside")
			if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(dir, lockName)); err != nil {
				t.Fatal(err)
			}
			if err := got.AmendLock(root, "."); err != nil {
				t.Fatal(err)
			}
			if read(t, filepath.Join(dir, lockName)) != string(got.Lock) || read(t, outside) != "mine" {
				t.Error("the lock file was written through a link")
			}
		})
	}
	t.Run("of a plan", func(t *testing.T) {
		q := request("terraform", map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.0.0", "h1:x")})
		q.Lock = []byte(locked(aws, "5.1.0", linuxH1))
		got, err := open(t, options(t, r)).Prepare(t.Context(), q)
		if err != nil || len(got.Packages) != 1 || got.Packages[0].Version != "5.1.0" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestAllowList(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	o := options(t, r)
	o.Allow = patterns(t, "registry.terraform.io/hashicorp/*")
	s := open(t, o)
	files := map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0")}
	got, err := s.Prepare(t.Context(), request("terraform", files))
	if err != nil {
		t.Fatal(err)
	}
	if config := read(t, got.CLIConfig); !strings.Contains(config, `include = ["registry.terraform.io/hashicorp/*"]`) {
		t.Error(config)
	}
	files["b.tf"] = "terraform {\n  required_providers {\n    x = { source = \"evil/x\" }\n    y = { source = \"providers.example.com/e/y\" }\n  }\n}\n"
	_, err = s.Prepare(t.Context(), request("terraform", files))
	fails(t, err, errs.Forbidden, "live/b.tf:3", "registry.terraform.io/evil/x", "live/b.tf:4", "providers.example.com/e/y", "terraform.provider_allow")
	// An entry that only the lock file has asks for nothing.
	got, err = s.Prepare(t.Context(), request("terraform", map[string]string{lockName: locked("registry.terraform.io/evil/x", "1.0.0")}))
	if err != nil || len(got.Packages) != 0 || r.Asked("evil") != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNetworkMirror(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	r.SetAddress("mirror.example.com", "127.0.0.1") // the operator's own may be there
	o := options(t, r)
	o.NetworkMirror, o.Direct, o.Dial = "https://mirror.example.com/mirror", false, dialTo(r)
	files := map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0")}
	got, err := open(t, o).Prepare(t.Context(), request("terraform", files))
	if err != nil || len(got.Packages) != 1 || got.Packages[0].Source != "mirror.example.com" {
		t.Fatalf("%+v, %v", got, err)
	}
	if config := read(t, got.CLIConfig); strings.Contains(config, "direct") {
		t.Errorf("the run may ask registries:\n%s", config)
	}
	if n := r.Asked(".well-known"); n != 0 {
		t.Errorf("a registry was asked %d times", n)
	}
	t.Run("what it lacks", func(t *testing.T) {
		_, err := open(t, o).Prepare(t.Context(), request("terraform", map[string]string{"a.tf": requires("hashicorp/google", "~> 5.0")}))
		fails(t, err, errs.NotFound, "live/a.tf:3", "registry.terraform.io/hashicorp/google")
	})
	t.Run("what it lacks comes from the registry where that is allowed", func(t *testing.T) {
		o := o
		o.Dir, o.Direct, o.Dial = filepath.Join(t.TempDir(), "p"), true, r.Dial
		o.NetworkMirror = "https://mirror.example.com/elsewhere/"
		r.SetAddress("mirror.example.com", providerstest.Public.String())
		got, err := open(t, o).Prepare(t.Context(), request("terraform", files))
		if err != nil || len(got.Packages) != 1 || got.Packages[0].Source != "registry.terraform.io" {
			t.Fatalf("%+v, %v", got, err)
		}
	})
	t.Run("without checksums", func(t *testing.T) {
		r.NoHashes()
		o := o
		o.Dir, o.Dial = filepath.Join(t.TempDir(), "p"), r.Dial
		got, err := open(t, o).Prepare(t.Context(), request("terraform", files))
		if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "no checksum") {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestRegistryIsDown(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	r.Alter(func(string, []byte) []byte { return nil }) // 503
	now := time.Now()
	o := options(t, r)
	o.Now = func() time.Time { return now }
	s := open(t, o)
	q := request("terraform", map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0")})
	got, err := s.Prepare(t.Context(), q)
	if err != nil || len(got.Packages) != 0 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "asks for it itself") {
		t.Fatalf("%+v, %v", got, err)
	}
	if config := read(t, got.CLIConfig); !strings.Contains(config, "direct {\n  }") {
		t.Errorf("the run can't ask itself:\n%s", config)
	}
	r.Alter(nil)
	if got, err = s.Prepare(t.Context(), q); err != nil || len(got.Packages) != 1 || len(got.Notes) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	r.Alter(func(string, []byte) []byte { return nil })
	now = now.Add(time.Hour)
	if got, err = s.Prepare(t.Context(), q); err != nil || len(got.Packages) != 1 || !strings.Contains(strings.Join(got.Notes, ""), "from the store as it is") {
		t.Errorf("what is in the store does not do: %+v, %v", got, err)
	}
	o.Direct = false // and with no source at all it does too
	if got, err = open(t, o).Prepare(t.Context(), q); err != nil || len(got.Packages) != 1 || len(got.Notes) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = open(t, o).Prepare(t.Context(), request("terraform", map[string]string{"a.tf": requires("hashicorp/aws", "~> 6.0")}))
	fails(t, err, errs.NotFound, "live/a.tf:3", "terraform.provider_mirror", "tidelock providers fetch")
}

// TestOperatorsFolder: what the operator's own folder has is neither asked for
// nor fetched.
func TestOperatorsFolder(t *testing.T) {
	r := registry(t)
	mirror := t.TempDir()
	program := filepath.Join(mirror, aws, "5.4.0", platform, "terraform-provider-aws")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mirror, aws, "terraform-provider-aws_5.5.0_"+platform+".zip"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := options(t, r)
	o.Mirror = mirror
	s := open(t, o)
	for _, files := range []map[string]string{
		{"a.tf": requires("hashicorp/aws", "~> 5.0")}, {"a.tf": requires("hashicorp/aws", "5.4.0")},
		{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.5.0", "zh:00")}, // packed: Terraform verifies it
		{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.4.0")},
	} {
		got, err := s.Prepare(t.Context(), request("terraform", files))
		if err != nil || len(got.Packages) != 0 || len(got.Notes) != 0 {
			t.Errorf("%v: %+v, %v", files, got, err)
			continue
		}
		if config := read(t, got.CLIConfig); !strings.Contains(config, "path = \""+mirror+"\"") || !strings.Contains(config, "exclude = [\""+aws+"\"]") {
			t.Error(config)
		}
	}
	_, err := s.Prepare(t.Context(), request("terraform", map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0"), lockName: locked(aws, "5.4.0", "h1:other")}))
	fails(t, err, errs.Invalid, "terraform.provider_mirror", "providers lock -platform="+platform)
	if n := r.Asked("/"); n != 0 {
		t.Errorf("a registry was asked %d times", n)
	}
}

// TestPartialCode: code that is not known may ask for more than is known.
func TestPartialCode(t *testing.T) {
	r := registry(t)
	archive := pack(t, "aws", "x")
	r.Add(aws, "5.1.0", archive, platform)
	_, h1, err := providerstest.Hashes(archive)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, options(t, r))
	files := map[string]string{"a.tf": requires("hashicorp/aws", "~> 5.0") + "module \"m\" {\n  source = \"acme/vpc/aws\"\n}\n"}
	got, err := s.Prepare(t.Context(), request("terraform", files))
	if err != nil || strings.Contains(read(t, got.CLIConfig), "exclude") {
		t.Errorf("the module can't ask for another version: %v\n%s", err, read(t, got.CLIConfig))
	}
	files[lockName] = locked(aws, "5.1.0", h1)
	got, err = s.Prepare(t.Context(), request("terraform", files))
	if err != nil || !strings.Contains(read(t, got.CLIConfig), "exclude = [\""+aws+"\"]") {
		t.Errorf("what is pinned is asked for: %v\n%s", err, read(t, got.CLIConfig))
	}
}

// TestThreat_OneClientsProvidersAreNotAnothers: what one client's code has
// fetched decides nothing for another's.
func TestThreat_OneClientsProvidersAreNotAnothers(t *testing.T) {
	r := registry(t)
	for _, v := range []string{"5.1.0", "5.2.0"} {
		r.Add(aws, v, pack(t, "aws", v), platform)
	}
	r.Add(aws, "9.9.9-evil", pack(t, "aws", "evil"), platform)
	r.Add("providers.example.com/hashicorp/aws", "9.9.9", pack(t, "aws", "evil"), platform)
	s := open(t, options(t, r))
	prepare := func(files map[string]string) Prepared {
		p, err := s.Prepare(t.Context(), request("terraform", files))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	sees := func(p Prepared) string {
		dirs, _ := filepath.Glob(filepath.Join(filepath.Dir(p.CLIConfig), "mirror", "*", "*", "*", "*", "*"))
		for i, d := range dirs {
			dirs[i], _ = filepath.Rel(filepath.Join(filepath.Dir(p.CLIConfig), "mirror"), d)
		}
		return strings.Join(dirs, " ")
	}
	evil := prepare(map[string]string{
		"a.tf": requires("providers.example.com/hashicorp/aws", "9.9.9"),
		"b.tf": "terraform {\n  required_providers {\n    other = {\n      source  = \"hashicorp/aws\"\n      version = \"9.9.9-evil\"\n    }\n  }\n}\n",
	})
	if n := len(evil.Packages); n != 2 {
		t.Fatalf("%d packages", n)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { prepare(map[string]string{"a.tf": requires("hashicorp/aws", "5.1.0")}) })
		wg.Go(func() {
			if got, want := sees(prepare(map[string]string{"a.tf": requires("hashicorp/aws", ">= 5.0")})), aws+"/5.2.0/"+platform; got != want {
				t.Errorf("the other client's run sees %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
	if altered, err := s.Altered(); err != nil || len(altered) > 0 {
		t.Errorf("altered are %v, %v", altered, err)
	}
}

// TestStaleLockEntry: what only the lock file has, and no checksum for this
// platform, is left out with a note.
func TestStaleLockEntry(t *testing.T) {
	r := registry(t)
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	got, err := open(t, options(t, r)).Prepare(t.Context(), request("terraform", map[string]string{lockName: locked(aws, "5.1.0", "h1:mac")}))
	if err != nil || len(got.Packages) != 0 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "providers lock") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestThreat_ProvidersFillTheDisk: neither a pull request that requires
// hundreds of providers nor a registry with endless lists gets through.
func TestThreat_ProvidersFillTheDisk(t *testing.T) {
	r := registry(t)
	for i := range maxVersions + 1 {
		r.Add("providers.example.com/x/aws", fmt.Sprintf("1.0.%d", i), nil, platform)
	}
	o := options(t, r)
	s := open(t, o)
	var code strings.Builder
	code.WriteString("terraform {\n  required_providers {\n")
	for i := range maxWants + 1 {
		fmt.Fprintf(&code, "    p%d = { source = \"x/p%d\" }\n", i, i)
	}
	code.WriteString("  }\n}\n")
	_, err := s.Prepare(t.Context(), request("terraform", map[string]string{"a.tf": code.String()}))
	fails(t, err, errs.TooLarge, "live", "101 providers")
	if n := r.Asked("/"); n != 0 {
		t.Errorf("asked %d times", n)
	}
	_, err = s.Prepare(t.Context(), request("terraform", map[string]string{"a.tf": requires("providers.example.com/x/aws", "~> 1.0")}))
	fails(t, err, errs.TooLarge, "providers.example.com/x/aws", "5001 versions")
	r.Add(aws, "5.1.0", pack(t, "aws", "x"), platform)
	o.leastFree = 1 << 62
	_, err = open(t, o).ensure(t.Context(), address(t, aws), "5.1.0")
	fails(t, err, errs.Unavailable, "too little space")
	if n := r.Downloads(); n != 0 {
		t.Errorf("%d downloads", n)
	}
}
