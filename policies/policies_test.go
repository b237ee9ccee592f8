package policies_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/tidelock/tidelock/policies"
)

// modules parses every pack, with its tests, in strict Rego v1.
func modules(t *testing.T) map[string]*ast.Module {
	t.Helper()
	parsed := map[string]*ast.Module{}
	err := fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".rego") {
			return err
		}
		src, err := fs.ReadFile(policies.FS, path)
		if err != nil {
			return err
		}
		parsed[path], err = ast.ParseModuleWithOpts(path, string(src), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed) == 0 {
		t.Fatal("no Rego file is embedded")
	}
	return parsed
}

// TestRego runs the packs' own tests. Each is a subtest, so that a failing one
// is named; that there are any at all is tested too, for every folder that has
// rules.
func TestRego(t *testing.T) {
	parsed := modules(t)
	coverage := cover.New()
	ran := run(t, parsed, coverage)
	packs := map[string]bool{}
	for path := range parsed {
		pack, _, _ := strings.Cut(path, "/")
		packs[pack] = true
	}
	for pack := range packs {
		if ran[pack] == 0 {
			t.Errorf("no test of %s ran", pack)
		}
	}
	report := coverage.Report(parsed)
	for path, file := range report.Files {
		if strings.HasSuffix(path, "_test.rego") {
			continue
		}
		for _, r := range file.NotCovered {
			t.Errorf("%s:%d-%d is covered by no Rego test", path, r.Start.Row, r.End.Row)
		}
	}
}

func run(t *testing.T, parsed map[string]*ast.Module, coverage *cover.Cover) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	store := inmem.New()
	ran := map[string]int{}
	err := storage.Txn(ctx, store, storage.WriteParams, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().
			SetCompiler(ast.NewCompiler().WithStrict(true)).
			SetStore(store).
			RaiseBuiltinErrors(false).
			CapturePrintOutput(true).
			SetCoverageQueryTracer(coverage).
			SetTimeout(10*time.Second).
			SetModules(parsed).
			RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for result := range results {
			pack, _, _ := strings.Cut(result.Location.File, "/")
			ran[pack]++
			t.Run(result.Package+"."+result.Name, func(t *testing.T) {
				switch {
				case result.Error != nil:
					t.Errorf("%s: %v", result.Location, result.Error)
				case result.Skip:
					t.Errorf("%s: skipped, and a skipped rule test proves nothing", result.Location)
				case !result.Pass():
					t.Errorf("%s: failed\n%s", result.Location, result.Output)
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ran
}
