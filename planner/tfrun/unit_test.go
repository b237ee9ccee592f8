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

func TestLogIsBounded(t *testing.T) {
	var log strings.Builder
	o := newOutput(Spec{}, &log)
	line := strings.Repeat("x", 1<<20) + "\n"
	for range 40 {
		if n, err := o.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := o.Write([]byte(strings.Repeat("y", 10<<20))); err != nil {
		t.Fatal(err)
	}
	o.flush()
	if log.Len() > maxLog+100 || !strings.HasSuffix(log.String(), "(The log is cut here: it is too long.)\n") {
		t.Errorf("%d bytes, ends in %q", log.Len(), log.String()[max(0, log.Len()-80):])
	}
}
