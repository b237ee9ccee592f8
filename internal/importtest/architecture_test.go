package importtest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the rooms of docs/architecture.md anew")

// storeys say what the floors are for, from the top, where people enter.
var storeys = []struct {
	floor int
	says  string
}{
	{programs, "Programs"},
	{parts, "Made of a server's configuration"},
	{settings, "Read a server's configuration"},
	{edges, "The edges: they speak with the outside, and never with each other"},
	{tellers, "Say to people what the rooms below hold"},
	{rooms, "Bring the lower rooms together"},
	{readers, "Read a plan, or run one"},
	{engines, "Make a plan, and apply it"},
	{plans, "Projects, plans as they are read, and who owns what"},
	{services, "Stand on the database"},
	{sources, "Databases, GitHub, git, and what is decided from values alone"},
	{ground, "Know nothing of ours"},
	{helpers, "What tests, the demo and the benchmarks need"},
}

// TestArchitecture holds the list of rooms in docs/architecture.md to the
// floors, and to what each package says of itself in its first sentence.
func TestArchitecture(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "architecture.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- rooms: go test ./internal/importtest -update -->\n", "<!-- end of rooms -->"
	head, rest, open := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !open || !closed {
		t.Fatalf("%s has lost the marks between which the rooms stand", page)
	}
	switch want := head + begin + list(t) + end + tail; {
	case want == string(text):
	case !*update:
		t.Fatalf("%s does not list the rooms as they are: go test ./internal/importtest -update", page)
	default:
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// list is a table of the packages of each floor.
func list(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Doc", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	rows := map[int][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct{ ImportPath, Doc string }
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(pkg.ImportPath, module+"/")
		floor, base := floorOf(room)
		if base == "" {
			continue // TestFloors tells
		}
		if pkg.Doc == "" {
			t.Errorf("%s does not say what it is: a comment before its package clause is missing", room)
		}
		says := pkg.Doc
		if _, what, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(says, "Package "), "Command "), " "); ok {
			says = what // without "Package x" and "Command x"
		}
		rows[floor] = append(rows[floor], fmt.Sprintf("| `%s` | %s |\n", room, strings.ReplaceAll(says, "|", `\|`)))
	}
	var b strings.Builder
	for _, s := range storeys {
		slices.SortFunc(rows[s.floor], func(a, b string) int { // a room before those inside it
			return strings.Compare(strings.ReplaceAll(a, "`", " "), strings.ReplaceAll(b, "`", " "))
		})
		fmt.Fprintf(&b, "\n**%s**\n\n| room | |\n|---|---|\n%s", s.says, strings.Join(rows[s.floor], ""))
		delete(rows, s.floor)
	}
	if len(rows) > 0 {
		t.Errorf("floors %v have no storey", rows)
	}
	return b.String() + "\n"
}
