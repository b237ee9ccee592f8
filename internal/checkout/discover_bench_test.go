package checkout_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/planner"
)

// large fills the origin with a repository of 1,000 root modules and 300
// shared ones that call each other four deep: 6,200 files. base is on main,
// head changes one file of a root module, wide one of a shared module.
func (o *origin) large() (base, head, wide string) {
	o.t.Helper()
	files := map[string]string{"README.md": "# infra\n"}
	resources := func(n, from int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "\nresource \"aws_instance\" \"r%d\" {\n  ami           = data.aws_ami.base.id\n  instance_type = var.sizes[%q]\n  count         = var.on ? %d : 0\n  tags = merge(var.tags, {\n    Name = \"${var.name}-%d\"\n  })\n  user_data = templatefile(\"${path.module}/boot.tpl\", { name = var.name })\n}\n", i, fmt.Sprint(from+i), i+1, from+i)
		}
		return b.String()
	}
	variables := func(i int) string {
		return fmt.Sprintf("variable \"name\" {\n  type = string\n  default = \"n%d\"\n}\n\nvariable \"tags\" {\n  type    = map(string)\n  default = {}\n}\n\nvariable \"sizes\" {\n  type = map(string)\n}\n\nvariable \"on\" {\n  type    = bool\n  default = true\n}\n", i)
	}
	call := func(name, source string) string {
		return fmt.Sprintf("\nmodule %q {\n  source = %q\n  name   = var.name\n  tags   = var.tags\n  sizes  = { for k, v in var.sizes : k => v if v != null }\n}\n", name, source)
	}
	for i := range 300 {
		dir := fmt.Sprintf("modules/m%03d/", i)
		main := resources(4, i)
		if level := i / 75; level < 3 { // 75 a level, each calls two of the next
			main += call("a", fmt.Sprintf("../m%03d", (level+1)*75+i%75)) + call("b", fmt.Sprintf("../m%03d", (level+1)*75+(i*7+1)%75))
		}
		files[dir+"main.tf"], files[dir+"variables.tf"], files[dir+"boot.tpl"] = main, variables(i), "#!/bin/sh\necho ${name}\n"
		files[dir+"outputs.tf"] = fmt.Sprintf("output \"id\" {\n  value = aws_instance.r0[0].id # %d\n}\n", i)
	}
	for i := range 1000 {
		dir := fmt.Sprintf("live/team%02d/stack%04d/", i%40, i)
		files[dir+"main.tf"] = fmt.Sprintf("terraform {\n  backend \"s3\" {\n    key = \"%d\"\n  }\n}\n\nprovider \"aws\" {}\n", i) + resources(3, i) +
			call("x", fmt.Sprintf("../../../modules/m%03d", i%75)) + call("y", fmt.Sprintf("../../../modules/m%03d", 75+(i*3)%75)) + call("z", fmt.Sprintf("../../../modules/m%03d", 225+(i*11)%75))
		files[dir+"variables.tf"], files[dir+"boot.tpl"] = variables(i), "#!/bin/sh\n"
		files[dir+"terraform.tfvars"] = fmt.Sprintf("name = \"s%d\"\n", i)
		files[dir+".terraform.lock.hcl"] = "provider \"registry.terraform.io/hashicorp/aws\" {\n  version = \"6.0.0\"\n}\n"
	}
	o.write(files)
	base = o.commit("base", "refs/heads/main")
	o.write(map[string]string{"live/team07/stack0007/main.tf": files["live/team07/stack0007/main.tf"] + "# changed\n"})
	head = o.commit("head", "refs/pull/7/head")
	o.git("checkout", "-q", base)
	o.write(map[string]string{"modules/m230/main.tf": files["modules/m230/main.tf"] + "# changed\n"})
	return base, head, o.commit("wide", "refs/pull/8/head")
}

// affected goes from a commit and its base to the projects that are planned,
// as the bot does, and returns how many.
func affected(b *testing.B, store *checkout.Store, o *origin, base, head string) int {
	b.Helper()
	changed, err := store.Changed(b.Context(), o.source(), base, head)
	if err != nil {
		b.Fatal(err)
	}
	tree, err := store.TreeFS(b.Context(), o.source(), nil, head)
	if err != nil {
		b.Fatal(err)
	}
	defer tree.Close()
	projects, problems, err := planner.Discover(tree, planner.DefaultRepoConfig())
	if err != nil || len(projects) != 1000 || len(problems) != 0 {
		b.Fatal(len(projects), problems, err)
	}
	touched := planner.Affected(projects, changed)
	for _, p := range touched {
		if _, err := planner.InputsDigest(tree, p.Project); err != nil {
			b.Fatal(err)
		}
	}
	return len(touched)
}

// BenchmarkDiscover measures from a commit and its base to the projects that
// it touches, with their inputs' digests, in a large repository whose mirror
// is there. Cold is the first commit that a process sees, warm one of which
// the base was seen; wide is a commit that touches a shared module; again is
// the same commit once more. tree-* is the way over a work tree.
func BenchmarkDiscover(b *testing.B) {
	o := newOrigin(b)
	base, head, wide := o.large()
	dir := b.TempDir()
	if _, err := checkout.New(dir, checkout.Options{}).TreeHash(b.Context(), o.source(), wide, ""); err != nil {
		b.Fatal(err)
	}
	if _, err := checkout.New(dir, checkout.Options{}).TreeHash(b.Context(), o.source(), head, ""); err != nil {
		b.Fatal(err)
	}
	measure := func(name, from, to string, want int, seen ...string) {
		b.Run(name, func(b *testing.B) {
			var live, most uint64
			for range b.N {
				b.StopTimer()
				before := heap()
				store := checkout.New(dir, checkout.Options{})
				for _, sha := range seen {
					affected(b, store, o, base, sha)
				}
				most = max(most, peak(func() {
					b.StartTimer()
					if n := affected(b, store, o, from, to); n != want && want > 0 || n == 0 {
						b.Fatalf("%d projects are touched, want %d", n, want)
					}
					b.StopTimer()
				}))
				if now := heap(); now > before {
					live = max(live, now-before)
				}
				runtime.KeepAlive(store)
				b.StartTimer()
			}
			b.ReportMetric(float64(live)/1e6, "kept-MB")
			b.ReportMetric(float64(most)/1e6, "peak-MB")
		})
	}
	measure("cold", base, head, 1)
	measure("warm", base, head, 1, wide)
	measure("wide", base, wide, 0, head)
	measure("again", base, head, 1, head)
	b.Run("tree-cold", func(b *testing.B) {
		for i := range b.N {
			store := checkout.New(dir, checkout.Options{})
			into := fmt.Sprintf("%s/tree%d", b.TempDir(), i)
			if _, err := store.Tree(b.Context(), o.source(), nil, head, into); err != nil {
				b.Fatal(err)
			}
			root, err := os.OpenRoot(into)
			if err != nil {
				b.Fatal(err)
			}
			if projects, _, err := planner.Discover(root.FS(), planner.DefaultRepoConfig()); err != nil || len(projects) != 1000 {
				b.Fatal(len(projects), err)
			}
			root.Close()
		}
	})
}

// heap returns the bytes of live objects.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// peak returns how much the process's memory grew at most while do ran, above
// what it was before; 0 where the system does not tell.
func peak(do func()) uint64 {
	debug.FreeOSMemory() // what came before must not hide what comes
	before := resident("VmRSS:")
	reset := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // resets the high-water mark
	do()
	if after := resident("VmHWM:"); reset == nil && after > before {
		return after - before
	}
	return 0
}

func resident(field string) uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte(field))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, err := strconv.ParseUint(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
