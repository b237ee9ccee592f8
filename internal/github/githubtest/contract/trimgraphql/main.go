// Command trimgraphql makes the trimmed copy of GitHub's GraphQL schema that
// the stand-in answers by and is checked against. Run it again to follow a
// newer schema, from internal/github/githubtest:
//
//	go run ./contract/trimgraphql
//
// It needs npm, which fetches the package by name from whatever registry it is
// set up for, and writes contract/schema.graphql. What it keeps are the types
// and fields named below as they are, without their descriptions.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// schemaPackage at the version that was looked at. Its licence is MIT.
const schemaPackage = "@octokit/graphql-schema@15.26.1"

// kept are the types, and of each the fields; nil keeps all of them.
var kept = map[string][]string{
	"Query":    {"id", "node", "rateLimit"},
	"Mutation": {"minimizeComment", "revertPullRequest", "enqueuePullRequest"},

	"MinimizeCommentInput": nil, "MinimizeCommentPayload": nil, "Minimizable": nil, "ReportedContentClassifiers": nil,
	"RevertPullRequestInput": nil, "RevertPullRequestPayload": nil,
	"EnqueuePullRequestInput": nil, "EnqueuePullRequestPayload": nil,

	"MergeQueueEntry":      {"enqueuedAt", "estimatedTimeToMerge", "id", "jump", "position", "pullRequest", "solo", "state"},
	"MergeQueueEntryState": nil,
	"PullRequest": {"baseRefName", "fullDatabaseId", "headRefName", "headRefOid", "id", "isDraft", "isInMergeQueue", "mergeQueueEntry",
		"merged", "number", "state", "title", "url"},
	"PullRequestState": nil,
	"IssueComment":     {"body", "fullDatabaseId", "id", "isMinimized", "minimizedReason", "url", "viewerCanMinimize"},
	"Node":             nil,
	"RateLimit":        nil,

	"BigInt": nil, "DateTime": nil, "GitObjectID": nil, "URI": nil,
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if _, err := os.Stat("contract/trimgraphql"); err != nil {
		return errors.New("run me from internal/github/githubtest: go run ./contract/trimgraphql")
	}
	source, err := file("package/schema.graphql")
	if err != nil {
		return err
	}
	// Parsed only: GitHub's own document defines a field twice, and does not load.
	full, err := parser.ParseSchema(&ast.Source{Name: schemaPackage, Input: string(source)})
	if err != nil {
		return err
	}
	doc := &ast.SchemaDocument{}
	for name, fields := range kept {
		def := full.Definitions.ForName(name)
		if def == nil {
			return fmt.Errorf("the schema has no type %s", name)
		}
		if err := trim(def, fields); err != nil {
			return err
		}
		doc.Definitions = append(doc.Definitions, def)
	}
	slices.SortFunc(doc.Definitions, func(a, b *ast.Definition) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Trimmed from npm %s (MIT) by contract/trimgraphql; do not edit.\n\n", schemaPackage)
	formatter.NewFormatter(&out, formatter.WithoutDescription(), formatter.WithIndent("  ")).FormatSchemaDocument(doc)
	// What was kept must stand by itself.
	if _, err := gqlparser.LoadSchema(&ast.Source{Name: "contract/schema.graphql", Input: out.String()}); err != nil {
		return fmt.Errorf("a type that the kept ones need is missing: %w", err)
	}
	log.Printf("contract/schema.graphql: %d types, %d bytes", len(doc.Definitions), out.Len())
	return os.WriteFile("contract/schema.graphql", out.Bytes(), 0o644)
}

// trim takes out of a type what is not kept.
func trim(def *ast.Definition, fields []string) error {
	def.Directives = nil
	def.Interfaces = slices.DeleteFunc(def.Interfaces, func(name string) bool { _, ok := kept[name]; return !ok })
	def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool {
		return f.Name[0] == '_' || fields != nil && !slices.Contains(fields, f.Name)
	})
	for _, name := range fields {
		if def.Fields.ForName(name) == nil {
			return fmt.Errorf("%s has no field %s", def.Name, name)
		}
	}
	for _, f := range def.Fields {
		f.Directives = nil
		for _, a := range f.Arguments {
			a.Directives = nil
		}
	}
	return nil
}

// file fetches the package and returns one file out of it.
func file(member string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "trimgraphql")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", schemaPackage)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", schemaPackage, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("npm pack %s left %d archives", schemaPackage, len(found))
	}
	f, err := os.Open(found[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("%s has no %s: %w", schemaPackage, member, err)
		}
		if h.Name == member {
			return io.ReadAll(t)
		}
	}
}
