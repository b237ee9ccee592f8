package planner

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// declared is what the code in one directory declares, and where.
type declared struct {
	there   bool // it holds code
	blocks  map[string]Place
	calls   map[string]calledFrom
	removed map[string]Place
}

// calledFrom is the call of a module.
type calledFrom struct {
	Place
	source string // of a local one; "" of one from elsewhere
}

// fileBlocks is what one file declares. It is kept by the hash of the file's
// content, so that it knows no file name.
type fileBlocks struct {
	size    int64
	blocks  []fileBlock
	calls   []fileBlock
	removed []fileBlock
}

type fileBlock struct {
	name      string // "aws_s3_bucket.a", "data.aws_ami.b"; of a call the module's
	source    string // of a call
	line, end int
}

func (f *fileBlocks) weight() int {
	n := 128
	for _, list := range [][]fileBlock{f.blocks, f.calls, f.removed} {
		for _, b := range list {
			n += 64 + len(b.name) + len(b.source)
		}
	}
	return n
}

// module reads the code in a directory.
func (l *Locator) module(dir string) *declared {
	real, ok := realPath(l.fsys, dir)
	if !ok {
		return &declared{}
	}
	if m := l.read[real]; m != nil {
		return m
	}
	m := &declared{blocks: map[string]Place{}, calls: map[string]calledFrom{}, removed: map[string]Place{}}
	if len(l.read) >= maxLocatedDirs {
		return m
	}
	l.read[real] = m
	entries, err := fs.ReadDir(l.fsys, real)
	if err != nil {
		return m
	}
	var names []string
	for _, d := range entries {
		if codeFile(d.Name()) && !d.IsDir() && (l.tofu || !isTofu(d.Name())) {
			names = append(names, d.Name())
		}
	}
	// What is read first stays: what overrides something names it again, and
	// where OpenTofu finds a.tofu, a.tf does not count.
	slices.SortStableFunc(names, func(a, b string) int { return codeRank(a) - codeRank(b) })
	for _, name := range names {
		if plain, ok := strings.CutSuffix(strings.TrimSuffix(name, ".json"), ".tf"); ok && l.tofu && slices.Contains(names, strings.Replace(name, plain+".tf", plain+".tofu", 1)) {
			continue
		}
		file, ok := realPath(l.fsys, path.Join(real, name))
		if !ok {
			continue
		}
		m.there = true
		m.add(file, readBlocks(l.fsys, file, &l.budget))
	}
	return m
}

func (m *declared) add(file string, f *fileBlocks) {
	at := func(b fileBlock) Place { return Place{file, b.line, b.end} }
	for _, b := range f.blocks {
		if _, ok := m.blocks[b.name]; !ok {
			m.blocks[b.name] = at(b)
		}
	}
	for _, b := range f.calls {
		if _, ok := m.calls[b.name]; !ok {
			m.calls[b.name] = calledFrom{at(b), b.source}
		}
	}
	for _, b := range f.removed {
		m.removed[b.name] = at(b)
	}
}

func isTofu(name string) bool { return strings.HasSuffix(strings.TrimSuffix(name, ".json"), ".tofu") }

// codeRank puts the files that override others last.
func codeRank(name string) int {
	base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".json"), ".tf"), ".tofu")
	if base == "override" || strings.HasSuffix(base, "_override") {
		return 1
	}
	return 0
}

// realPath follows the links in a path, and reports false where one leads out
// of the tree, or too many follow each other. The path it returns has none:
// that is where people find the file.
func realPath(fsys fs.FS, name string) (string, bool) {
	var at []string
	hops := 0
	for todo := strings.Split(name, "/"); len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return "", false
			}
			at = at[:len(at)-1]
			continue
		}
		here := path.Join(append(slices.Clone(at), part)...)
		if info, err := fs.Lstat(fsys, here); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			target, err := fs.ReadLink(fsys, here)
			if hops++; err != nil || hops > maxHops || path.IsAbs(target) {
				return "", false
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		}
		at = append(at, part)
	}
	if len(at) == 0 {
		return ".", true
	}
	return path.Join(at...), true
}

// readBlocks reads one file of code. What can't be read declares nothing.
func readBlocks(fsys fs.FS, full string, budget *int64) *fileBlocks {
	none := &fileBlocks{}
	memory, _ := fsys.(remembering)
	key := ""
	isJSON := strings.HasSuffix(full, ".json")
	if memory != nil {
		if hash := memory.ContentHash(full); hash != "" {
			if key = "blocks native " + hash; isJSON {
				key = "blocks json " + hash
			}
			if known, ok := memory.Recall(key); ok {
				f := known.(*fileBlocks)
				if *budget -= f.size; *budget < 0 {
					return none
				}
				return f
			}
		}
	}
	info, err := fs.Stat(fsys, full)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return none
	}
	if *budget -= info.Size(); *budget < 0 {
		return none
	}
	src, err := fs.ReadFile(fsys, full)
	if err != nil || checkDepth(src) != nil {
		return none
	}
	f := &fileBlocks{size: info.Size()}
	if isJSON {
		f.readJSON(src)
	} else {
		f.readNative(src)
	}
	if key != "" {
		memory.Remember(key, f, f.weight())
	}
	return f
}

func (f *fileBlocks) readNative(src []byte) {
	file, _ := hclsyntax.ParseConfig(src, "", hcl.InitialPos) // what is right of a broken file counts
	if file == nil {
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	for _, b := range body.Blocks {
		if b.Body == nil {
			continue
		}
		block := fileBlock{line: b.DefRange().Start.Line, end: max(b.CloseBraceRange.End.Line, b.DefRange().Start.Line)}
		switch {
		case b.Type == "module" && len(b.Labels) == 1:
			if a := b.Body.Attributes["source"]; a != nil {
				if text, ok := literal(a.Expr); ok {
					block.source = localOnly(text)
				}
			}
			block.name = b.Labels[0]
			f.calls = append(f.calls, block)
		case b.Type == "removed":
			if a := b.Body.Attributes["from"]; a != nil {
				if t, diags := hcl.AbsTraversalForExpr(a.Expr); !diags.HasErrors() {
					block.name = traversed(t)
					f.removed = append(f.removed, block)
				}
			}
		case len(b.Labels) == 2:
			if block.name = declaredName(b.Type, b.Labels[0], b.Labels[1]); block.name != "" {
				f.blocks = append(f.blocks, block)
			}
		}
	}
}

// localOnly returns the source of a local module, "" of another.
func localOnly(source string) string {
	if strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") {
		return source
	}
	return ""
}

// declaredName is what a plan calls what a block declares, "" where it names
// no such thing.
func declaredName(block, typ, name string) string {
	switch block {
	case "resource":
		return typ + "." + name
	case "data", "ephemeral":
		return block + "." + typ + "." + name
	}
	return ""
}

// traversed writes an address without its keys.
func traversed(t hcl.Traversal) string {
	var parts []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			parts = append(parts, s.Name)
		case hcl.TraverseAttr:
			parts = append(parts, s.Name)
		}
	}
	return strings.Join(parts, ".")
}

// readJSON reads the JSON form, where a block is a member of an object, or of
// all objects in a list, whose key is the label.
func (f *fileBlocks) readJSON(src []byte) {
	if !json.Valid(src) {
		return
	}
	j := jsonPlaces{src: src, lines: lineStarts(src)}
	j.each(0, len(src), func(block string, from, to, _ int) {
		j.each(from, to, func(typ string, from, to, at int) {
			if block == "module" {
				call := fileBlock{name: typ, line: j.line(at), end: j.line(to)}
				j.each(from, to, func(arg string, from, to, _ int) {
					var text string
					if arg == "source" && json.Unmarshal(src[from:to], &text) == nil {
						call.source = localOnly(text)
					}
				})
				f.calls = append(f.calls, call)
				return
			}
			if block != "resource" && block != "data" && block != "ephemeral" {
				return
			}
			j.each(from, to, func(name string, _, to, at int) {
				f.blocks = append(f.blocks, fileBlock{name: declaredName(block, typ, name), line: j.line(at), end: j.line(to)})
			})
		})
	})
}

// jsonPlaces finds where the members of objects stand in valid JSON.
type jsonPlaces struct {
	src   []byte
	lines []int // offsets at which lines begin
}

// each calls do for each member of the object in src[from:to], or of all the
// objects of the list there: with the key, where its value is, and where the
// key stands.
func (j jsonPlaces) each(from, to int, do func(key string, from, to, at int)) {
	d := json.NewDecoder(bytes.NewReader(j.src[from:to]))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return
	}
	for d.More() {
		key, start := "", from+int(d.InputOffset())
		if open == json.Delim('{') {
			t, err := d.Token()
			if err != nil {
				return
			}
			key, _ = t.(string)
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		end := from + int(d.InputOffset())
		if open == json.Delim('[') {
			if len(value) > 0 && value[0] == '{' { // a list in a list is no block
				j.each(end-len(value), end, do)
			}
			continue
		}
		for start < end && j.src[start] != '"' {
			start++
		}
		do(key, end-len(value), end, start)
	}
}

func lineStarts(src []byte) []int {
	out := []int{0}
	for i, c := range src {
		if c == '\n' {
			out = append(out, i+1)
		}
	}
	return out
}

// line returns the line, from 1, that an offset stands in.
func (j jsonPlaces) line(offset int) int {
	i, found := slices.BinarySearch(j.lines, offset)
	if found {
		return i + 1
	}
	return i
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
