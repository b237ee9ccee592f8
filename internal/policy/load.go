package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/policies"
)

// Pack is a set of rules beside the bundled ones: every .rego file in FS, apart
// from those that end in _test.rego, and the data beside them. Packs do not see
// each other: two that both are package main, as conftest's mostly are, stay
// two. What they may use of the bundled ones is data.tidelock's libraries.
type Pack struct {
	Name string // stands before file names in reports; not empty, unique
	FS   fs.FS
	// Data are the folders and files of FS whose JSON and YAML are data, as
	// conftest's --data has it: what stands in a folder below is under its
	// name. Empty is the folder "data", if there is one. Files named data.json
	// or data.yaml are data wherever they are, as in OPA's bundles.
	Data []string
	// Untyped is for packs that judge inputs other than a plan's as well: what
	// they read is not held against the input's schema.
	Untyped bool
}

// Limits of what New reads, in bytes: far above any policy people write.
const (
	maxFile = 1 << 20
	maxPack = 16 << 20
)

// source is a pack as it was read: parsed, and not compiled.
type source struct {
	Pack
	modules  map[string]*ast.Module // by file, the pack's name before it
	tests    map[string]*ast.Module // those that end in _test.rego, where they were asked for
	data     map[string]any
	manifest manifest
	problems []Problem
	hash     string
}

// bundledPack is the one that has no name.
var bundledPack = Pack{FS: policies.FS}

// reader reads packs and counts what it reads.
type reader struct {
	withTests bool
	size      int64
}

// readPacks reads packs; before them comes the bundled one, as it was read.
func readPacks(bundled source, packs []Pack, withTests bool) ([]source, error) {
	r := reader{withTests: withTests}
	out := []source{bundled}
	for i, p := range packs {
		if !free(p.Name, packs[:i]) {
			return nil, errs.New(errs.Invalid, "A policy pack is called %q; a pack needs a name of its own, without a slash, that no bundled pack has.", p.Name)
		}
		s, err := r.read(p)
		if err != nil {
			return nil, fmt.Errorf("read policy pack %q: %w", p.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (r *reader) read(p Pack) (source, error) {
	s := source{Pack: p, modules: map[string]*ast.Module{}, tests: map[string]*ast.Module{}, data: map[string]any{}}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %v\n", p.Name, p.Data, p.Untyped)
	err := fs.WalkDir(p.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(path.Base(name), ".") && name != "." && name != manifestFile
		if d.IsDir() && hidden {
			return fs.SkipDir // .git and its like hold no policies
		}
		if d.IsDir() || hidden {
			return nil
		}
		isTest := strings.HasSuffix(name, "_test.rego")
		switch {
		case isTest && !r.withTests:
			return nil
		case strings.HasSuffix(name, ".rego"):
			src, err := r.file(p, name, d, sum)
			if err != nil {
				return err
			}
			s.module(name, string(src), isTest)
		case name == manifestFile:
			src, err := r.file(p, name, d, sum)
			if err != nil {
				return err
			}
			s.readManifest(src)
		case p.Name != "" && isData(name, p.Data):
			src, err := r.file(p, name, d, sum)
			if err != nil {
				return err
			}
			s.readData(name, src)
		case p.Name != "" && path.Dir(name) == "." && slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)):
			src, err := r.file(p, name, d, sum)
			if err != nil {
				return err
			}
			s.template(name, src)
		}
		return nil
	})
	if err == nil {
		s.checkRoots()
		s.hash = hex.EncodeToString(sum.Sum(nil))
	}
	return s, err
}

// file reads one file of a pack and adds it to the pack's hash.
func (r *reader) file(p Pack, name string, d fs.DirEntry, sum hash.Hash) ([]byte, error) {
	info, err := d.Info()
	if err != nil {
		return nil, err
	}
	file := path.Join(p.Name, name)
	if r.size += info.Size(); info.Size() > maxFile || r.size > maxPack {
		return nil, errs.New(errs.TooLarge, "The policies are too large: %s passes %d MB a file or %d MB for all.", file, maxFile>>20, maxPack>>20)
	}
	src, err := fs.ReadFile(p.FS, name)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(sum, "%d %s %d\n%s", len(file), file, len(src), src)
	return src, nil
}

// module parses one file of Rego.
func (s *source) module(name, src string, isTest bool) {
	file := path.Join(s.Name, name)
	m, problems := parse(file, src, s.Name == "")
	s.problems = append(s.problems, problems...)
	switch {
	case m == nil: // wrong, or a file of comments
	case s.Name != "" && len(m.Package.Path) > 1 && m.Package.Path[1].Equal(ast.StringTerm(bundledRoot)):
		s.problems = append(s.problems, Problem{File: file, Line: m.Package.Location.Row, Message: "package " + bundledRoot + " belongs to the bundled policies; choose another name"})
	case isTest:
		s.tests[file] = m
	default:
		s.modules[file] = m
	}
}

// parse reads a file as Rego of today, and where it is none, as Rego of before
// OPA 1.0, in which most of conftest's policies are written: rules without
// "if", sets without "contains". A file that is neither is told what is wrong
// with it in the Rego that it looks like.
func parse(file, src string, strict bool) (*ast.Module, []Problem) {
	m, err := ast.ParseModuleWithOpts(file, src, ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true, Capabilities: capabilities(ast.RegoV1)})
	if err == nil {
		return m, nil
	}
	if strict {
		return nil, problemsOf(err)
	}
	old, oldErr := ast.ParseModuleWithOpts(file, src, ast.ParserOptions{RegoVersion: ast.RegoV0, ProcessAnnotation: true, Capabilities: capabilities(ast.RegoV0)})
	if oldErr == nil {
		return old, nil
	}
	if looksOld(src) {
		return nil, problemsOf(oldErr)
	}
	return nil, problemsOf(err)
}

// oldHead is the head of a rule as it was before OPA 1.0: deny[msg] {
var oldHead = regexp.MustCompile(`(?m)^[a-z_]\w*(\[[^\]]*\]|\([^)]*\))?\s*(=\s*\S+\s*)?\{`)

func looksOld(src string) bool {
	return oldHead.MatchString(src) && !strings.Contains(src, "import rego.v1")
}

// capabilities is the language that rules are written in: OPA's, without what
// reaches outside or differs from one run to the next. OPA marks those
// built-ins as nondeterministic, so that what it adds is left out as well;
// they are named here too, in case a mark goes. The time of day stays: waivers
// and freezes need it.
func capabilities(v ast.RegoVersion) *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(v))
	c.Builtins = slices.DeleteFunc(slices.Clone(c.Builtins), func(b *ast.Builtin) bool {
		switch b.Name {
		case "time.now_ns":
			return false
		case "http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "uuid.rfc4122", "io.jwt.encode_sign", "io.jwt.encode_sign_raw":
			return true
		}
		return b.Nondeterministic
	})
	c.AllowNet = []string{} // no schema is fetched: an empty list allows no host, a nil one every host
	return c
}

// free reports whether a pack may have the name. File names begin with it, so a
// bundled pack's name would put its files in the place of bundled ones.
func free(name string, taken []Pack) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/") && !bundled(name) &&
		!slices.ContainsFunc(taken, func(p Pack) bool { return p.Name == name })
}

// bundled reports whether a name is one of the folders of package policies.
func bundled(name string) bool {
	_, err := fs.Stat(policies.FS, name)
	return err == nil
}
