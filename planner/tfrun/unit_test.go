package tfrun

import (
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	for out, want := range map[string]string{
		"Terraform v1.11.4\non linux_amd64\n":                      "Terraform 1.11.4",
		"OpenTofu v1.12.6\non linux_amd64":                         "OpenTofu 1.12.6",
		"There is a problem:\n\nTerraform v1.15.0-beta1+ent\nmore": "Terraform 1.15.0-beta1+ent",
		"Terraform vX": "", "": "", "Terraform v1.2'$(x)": "", "Packer v1.9.0": "",
	} {
		tool, version, ok := versionOf(out)
		if got := strings.TrimSpace(tool + " " + version); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", out, got, ok)
		}
	}
}

func TestLogHasNoEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "\x1b[31mred\x1b[0m": "red", "\x1b]8;;http://x\x07link": "link", "\x1b]0;t\x1b\\x": "x", "end\x1b": "end", "\x1b]open\nnext": "\nnext", "a\x1bMb": "ab",
		"nul\x00": `nul\x00`, "tab\t": "tab\t",
	} {
		o := newOutput(Spec{}, nil)
		if got := o.clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A line that is too long is cut, and says what is missing; the log goes on.
func TestLongLinesAreCut(t *testing.T) {
	var log strings.Builder
	o := newOutput(Spec{}, &log)
	for _, part := range []string{strings.Repeat("x", maxLine-1), "xy", strings.Repeat("z", 998), "\nnext\n"} {
		if n, err := o.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	h := &hookOutput{out: o}
	if _, err := h.Write([]byte(strings.Repeat("h", maxHookLine+7) + "\nlast")); err != nil {
		t.Fatal(err)
	}
	h.flush()
	want := strings.Repeat("x", maxLine) + " (The line is cut here: 999 bytes are missing.)\nnext\n" +
		strings.Repeat("h", maxHookLine) + " (The line is cut here: 7 bytes are missing.)\nlast\n"
	if log.String() != want {
		t.Errorf("%d bytes, not %d, ends in %q", log.Len(), len(want), log.String()[max(0, log.Len()-130):])
	}
}
