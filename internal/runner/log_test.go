package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func logged(t *testing.T, limit int64, parts ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), logFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &diskLog{f: f, limit: limit}
	for _, p := range parts {
		if n, err := l.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	if cap(l.tail) > 16*keptTail {
		t.Errorf("%d bytes are held back", cap(l.tail))
	}
	l.close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A log that is too long keeps its beginning and its end, whole lines, and
// says how much is missing between them.
func TestLogLimit(t *testing.T) {
	const limit = 1 << 20
	var lines []string
	for i := range 100_000 {
		lines = append(lines, fmt.Sprintf("line %06d of a long log\n", i))
	}
	text := logged(t, limit, lines...)
	head, rest, found := strings.Cut(text, "\n(The log is longer than 1 MB; ")
	missing, end, found2 := strings.Cut(rest, " bytes are missing.)\n")
	if !found || !found2 {
		t.Fatalf("nothing says that it is cut: … %q", text[len(text)-100:])
	}
	all := strings.Join(lines, "")
	if !strings.HasPrefix(all, head) || !strings.HasSuffix(all, end) || len(head) > limit || len(head) < limit-100 || len(end) > keptTail || len(end) < keptTail-100 {
		t.Errorf("%d bytes at the beginning, %d at the end", len(head), len(end))
	}
	if !strings.HasSuffix(head, "log\n") || !strings.HasPrefix(end, "line ") {
		t.Errorf("lines are cut: %q, %.20q", head[len(head)-20:], end)
	}
	if want := fmt.Sprint(len(all) - len(head) - len(end)); missing != want {
		t.Errorf("%s bytes are said to be missing, not %s", missing, want)
	}
}

func TestLogUpToItsLimit(t *testing.T) {
	all := strings.Repeat("0123456789abcde\n", 1<<16)
	if got := logged(t, 1<<20, all[:1000], all[1000:]); got != all {
		t.Errorf("%d bytes, not %d", len(got), len(all))
	}
	if got := logged(t, 0, all, all); got != all+all {
		t.Error("a limit where there is none")
	}
	// What does not fit but comes last is all there.
	if got, want := logged(t, 1<<20, all, "the end\n"), all+"\n(The log is longer than 1 MB.)\nthe end\n"; got != want {
		t.Errorf("ends in %q", got[len(got)-60:])
	}
}
