package tfplan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// hcl makes random values as expressions, for terraform_data's input.
type hcl struct{ *rand.Rand }

func (h hcl) pick(from ...string) string { return from[h.IntN(len(from))] }

func (h hcl) scalar() string {
	return h.pick(`"a"`, `"b"`, `"c"`, `"with \"quotes\" and \\ back"`, `"tab\there"`, `"$${x} %%{y}"`, `"ünïcode 🌊"`, `"l1\nl2\nl3\n"`, `"l1\nL2\nl3"`, `"l0\nl1\nl2\nl3\nl4\nl5\n"`,
		`""`, `"1"`, `1`, `2`, `-7`, `3.25`, `1e30`, `12345678901234567890`, `0.1`, `true`, `false`, `null`,
		`jsonencode({ a = 1, b = [1, 2, 3] })`, `jsonencode({ a = 1, b = [1, 3], c = "x" })`, `jsonencode([{ k = "v" }, 2])`, `"{\"a\": 1, \"b\": [1, 2, 3]}"`, `jsonencode({ deep = { er = { n = null, s = "x\ny" } } })`,
		`jsonencode("text")`, `"[]"`, `"{}"`, `var.secret`, `terraform_data.base.output`, `"${terraform_data.base.output}!"`)
}

// value is any value, its depth at most the given one.
func (h hcl) value(depth int) string {
	if depth == 0 || h.IntN(3) == 0 {
		return h.scalar()
	}
	n := h.IntN(5)
	var parts []string
	switch h.IntN(4) {
	case 0: // a list, of strings so that all elements have one type
		for range n {
			parts = append(parts, h.pick(`"a"`, `"b"`, `"c"`, `"d"`, `"e"`, `"x\ny\n"`))
		}
		return "tolist([" + strings.Join(parts, ", ") + "])"
	case 1: // a tuple
		for range n {
			parts = append(parts, h.value(depth-1))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case 2: // a map
		for range n {
			parts = append(parts, h.pick(`"Name"`, `"a.b/c"`, `"with space"`, `"quo\"te"`, `"new\nline"`, `"é"`, `"k"`)+" = "+h.pick(`"a"`, `"b"`, `"c"`))
		}
		return "tomap({" + strings.Join(dedup(parts), ", ") + "})"
	}
	for range n {
		parts = append(parts, h.pick(`a`, `b`, `name`, `id`, `tags`, `"odd key"`, `"0digit"`, `"a-b"`, `"a.b"`)+" = "+h.value(depth-1))
	}
	return "{" + strings.Join(dedup(parts), ", ") + "}"
}

// dedup keeps the first part of each name.
func dedup(parts []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, p := range parts {
		name, _, _ := strings.Cut(p, " = ")
		if !seen[name] {
			seen[name] = true
			out = append(out, p)
		}
	}
	return out
}

// randomConfig is a configuration of n objects that change between step 1 and
// step 2.
func randomConfig(seed uint64, n int) string {
	h := hcl{rand.New(rand.NewPCG(seed, seed))}
	var b strings.Builder
	b.WriteString(`variable "step" {}
variable "secret" {
  sensitive = true
  default   = "correct horse battery"
}
resource "terraform_data" "base" {
  input = "base ${var.step}"
}
`)
	for i := range n {
		// jsondecode takes any two values for one of no particular type.
		one, two := h.value(3), h.value(3)
		fmt.Fprintf(&b, "resource \"terraform_data\" \"r%03d\" {\n  input = [%s, %s][var.step == \"1\" ? 0 : 1]\n}\n", i, one, two)
		if i%5 == 0 {
			fmt.Fprintf(&b, "output \"o%03d\" {\n  sensitive = false\n  value = nonsensitive([%s, %s][var.step == \"1\" ? 0 : 1])\n}\n", i, h.pick(`"a"`, `["a", 1]`, `{ k = "v" }`), h.pick(`"b"`, `["a", 2]`, `{ k = "w" }`, `null`))
		}
	}
	return b.String()
}

// TestDiffOfRandomValues compares Diff with the real tools for values of all
// kinds that change into each other.
func TestDiffOfRandomValues(t *testing.T) {
	seed := uint64(1)
	if s := os.Getenv("TIDELOCK_SEED"); s != "" { // for whoever looks for more
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	for name, binary := range toolchaintest.Tools(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			toolchaintest.Write(t, filepath.Join(dir, "main.tf"), randomConfig(seed, 120))
			toolchaintest.CLI(t, binary, dir, "init", "-no-color")
			for _, step := range []string{"1", "2", "destroy"} {
				toolchaintest.CLI(t, binary, dir, "plan", "-no-color", "-out=p", "-var=step="+step, "-destroy="+fmt.Sprint(step == "destroy"))
				plan := parsed(t, toolchaintest.CLI(t, binary, dir, "show", "-json", "p"))
				world{t: t, tool: name, binary: binary, dir: dir}.compare(step, plan, toolchaintest.CLI(t, binary, dir, "show", "-no-color", "p"))
				if step != "destroy" {
					toolchaintest.CLI(t, binary, dir, "apply", "-no-color", "p")
				}
			}
		})
	}
}
