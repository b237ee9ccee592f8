// Command trim makes the trimmed copies of GitHub's machine-readable contract
// that the stand-in is checked against. Run it again to follow a newer
// contract, from this folder's parent:
//
//	go run ./contract/trim
//
// It needs npm, which fetches the packages by name from whatever registry it is
// set up for, and writes
//
//	contract/rest.json.gz       the REST operations of operations below
//	contract/webhooks.json.gz   the webhooks of webhooks below
//	../testdata/payloads.json.gz  recorded payloads, for the parser alone
//
// What it keeps are shapes: no descriptions, no examples.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// The packages, at the versions that were looked at. All are MIT.
const (
	restPackage     = "@octokit/openapi@23.0.2"
	webhookPackage  = "@octokit/openapi-webhooks@12.1.0"
	examplesPackage = "@octokit/webhooks-examples@7.6.1"
)

// operations are those that the bot calls or that the stand-in serves for the
// people in a test.
var operations = map[string][]string{
	"/app":                                 {"get"},
	"/app/installations":                   {"get"},
	"/app/installations/{installation_id}": {"get"},
	"/app/installations/{installation_id}/access_tokens":   {"post"},
	"/app/hook/deliveries":                                 {"get"},
	"/app/hook/deliveries/{delivery_id}":                   {"get"},
	"/app/hook/deliveries/{delivery_id}/attempts":          {"post"},
	"/app-manifests/{code}/conversions":                    {"post"},
	"/installation/repositories":                           {"get"},
	"/orgs/{org}/teams/{team_slug}":                        {"get"},
	"/orgs/{org}/teams/{team_slug}/members":                {"get"},
	"/orgs/{org}/teams/{team_slug}/memberships/{username}": {"get"},
	"/rate_limit":                                                   {"get"},
	"/repos/{owner}/{repo}":                                         {"get"},
	"/repos/{owner}/{repo}/branches/{branch}":                       {"get"},
	"/repos/{owner}/{repo}/branches/{branch}/protection":            {"get"},
	"/repos/{owner}/{repo}/check-runs":                              {"post"},
	"/repos/{owner}/{repo}/check-runs/{check_run_id}":               {"get", "patch"},
	"/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations":   {"get"},
	"/repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest":     {"post"},
	"/repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest": {"post"},
	"/repos/{owner}/{repo}/codeowners/errors":                       {"get"},
	"/repos/{owner}/{repo}/collaborators/{username}/permission":     {"get"},
	"/repos/{owner}/{repo}/commits/{ref}":                           {"get"},
	"/repos/{owner}/{repo}/commits/{ref}/check-runs":                {"get"},
	"/repos/{owner}/{repo}/commits/{ref}/check-suites":              {"get"},
	"/repos/{owner}/{repo}/commits/{ref}/status":                    {"get"},
	"/repos/{owner}/{repo}/compare/{basehead}":                      {"get"},
	"/repos/{owner}/{repo}/contents/{path}":                         {"get", "put"},
	"/repos/{owner}/{repo}/git/ref/{ref}":                           {"get"},
	"/repos/{owner}/{repo}/git/refs":                                {"post"},
	"/repos/{owner}/{repo}/git/refs/{ref}":                          {"delete"},
	"/repos/{owner}/{repo}/issues":                                  {"get", "post"},
	"/repos/{owner}/{repo}/issues/{issue_number}":                   {"get", "patch"},
	"/repos/{owner}/{repo}/issues/comments":                         {"get"},
	"/repos/{owner}/{repo}/issues/{issue_number}/comments":          {"get", "post"},
	"/repos/{owner}/{repo}/issues/{issue_number}/labels":            {"get", "post"},
	"/repos/{owner}/{repo}/issues/comments/{comment_id}":            {"get", "patch", "delete"},
	"/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions":  {"get", "post"},
	"/repos/{owner}/{repo}/pulls":                                   {"get", "post"},
	"/repos/{owner}/{repo}/pulls/{pull_number}":                     {"get", "patch"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/files":               {"get"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/merge":               {"get", "put"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/reviews":             {"get", "post"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/update-branch":       {"put"},
	"/repos/{owner}/{repo}/rules/branches/{branch}":                 {"get"},
	"/repos/{owner}/{repo}/statuses/{sha}":                          {"post"},
}

// webhooks are those that the stand-in sends.
var webhooks = []string{
	"check-run-completed", "check-run-created", "check-run-requested-action", "check-run-rerequested",
	"check-suite-requested", "check-suite-rerequested", "check-suite-completed",
	"installation-created", "installation-deleted", "installation-suspend", "installation-unsuspend", "installation-new-permissions-accepted",
	"installation-repositories-added", "installation-repositories-removed", "installation-target-renamed",
	"issue-comment-created", "issue-comment-edited", "issue-comment-deleted",
	"membership-added", "membership-removed", "team-created", "team-deleted", "team-edited",
	"merge-group-checks-requested", "merge-group-destroyed", "ping",
	"pull-request-opened", "pull-request-closed", "pull-request-reopened", "pull-request-synchronize", "pull-request-edited",
	"pull-request-labeled", "pull-request-unlabeled", "pull-request-converted-to-draft", "pull-request-ready-for-review",
	"pull-request-enqueued", "pull-request-dequeued",
	"pull-request-review-submitted", "pull-request-review-edited", "pull-request-review-dismissed", "push", "status",
	"repository-archived", "repository-created", "repository-deleted", "repository-edited", "repository-privatized",
	"repository-publicized", "repository-renamed", "repository-transferred", "repository-unarchived",
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if _, err := os.Stat("contract/trim"); err != nil {
		return errors.New("run me from internal/github/githubtest: go run ./contract/trim")
	}
	rest, err := document(restPackage, "package/generated/api.github.com.json")
	if err != nil {
		return err
	}
	paths := object{}
	for path, methods := range operations {
		have, ok := rest["paths"].(object)[path].(object)
		if !ok {
			return fmt.Errorf("the contract has no %s", path)
		}
		kept := object{}
		for _, m := range methods {
			op, ok := have[m].(object)
			if !ok {
				return fmt.Errorf("the contract has no %s %s", m, path)
			}
			kept[m] = op
		}
		paths[path] = kept
	}
	if err := write("contract/rest.json.gz", rest, restPackage, "paths", paths); err != nil {
		return err
	}

	hooks, err := document(webhookPackage, "package/generated/api.github.com.json")
	if err != nil {
		return err
	}
	kept := object{}
	for _, name := range webhooks {
		hook, ok := hooks["webhooks"].(object)[name].(object)
		if !ok {
			return fmt.Errorf("the contract has no webhook %s", name)
		}
		kept[name] = hook
	}
	if err := write("contract/webhooks.json.gz", hooks, webhookPackage, "webhooks", kept); err != nil {
		return err
	}
	return examples()
}

type object = map[string]any

// document fetches a package and returns one JSON file out of it.
func document(pkg, member string) (object, error) {
	raw, err := file(pkg, member)
	if err != nil {
		return nil, err
	}
	var doc object
	return doc, json.Unmarshal(raw, &doc)
}

func file(pkg, member string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "trim")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", pkg)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", pkg, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("npm pack %s left %d archives", pkg, len(found))
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
			return nil, fmt.Errorf("%s has no %s: %w", pkg, member, err)
		}
		if h.Name == member {
			return io.ReadAll(t)
		}
	}
}

// write keeps the part and the components that it refers to, directly or not.
func write(name string, doc object, pkg, part string, kept object) error {
	out := object{
		"openapi": doc["openapi"],
		"info":    object{"title": "Trimmed from " + pkg + " (MIT)", "version": doc["info"].(object)["version"]},
		part:      strip(kept, true),
	}
	if part != "paths" {
		out["paths"] = object{}
	}
	components := object{}
	for todo := refs(out[part], nil); len(todo) > 0; {
		ref := todo[0]
		todo = todo[1:]
		steps := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
		if len(steps) != 2 {
			return fmt.Errorf("a reference that this script does not know: %s", ref)
		}
		group, _ := components[steps[0]].(object)
		if group == nil {
			group = object{}
			components[steps[0]] = group
		}
		if group[steps[1]] != nil {
			continue
		}
		target := strip(doc["components"].(object)[steps[0]].(object)[steps[1]], false)
		group[steps[1]] = target
		todo = refs(target, todo)
	}
	out["components"] = components
	return save(name, out)
}

// names are the keys whose value maps names to things, so that a property
// called "description" is kept and a description is not.
var names = map[string]bool{"properties": true, "patternProperties": true, "paths": true, "responses": true, "content": true, "headers": true}

// words are the keys that shape nothing.
var words = map[string]bool{"description": true, "summary": true, "example": true, "examples": true, "externalDocs": true,
	"tags": true, "title": true, "default": true, "deprecated": true, "servers": true, "callbacks": true, "operationId": true}

func strip(v any, named bool) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, child := range v {
			switch {
			case named:
				out[k] = strip(child, false)
			case k == "description" && isResponse(v):
				out[k] = "" // OpenAPI demands one of a response
			case words[k], strings.HasPrefix(k, "x-"):
			case k == "enum", k == "required", k == "const":
				out[k] = child
			default:
				out[k] = strip(child, names[k])
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = strip(child, false)
		}
		return out
	}
	return v
}

func isResponse(v object) bool {
	_, content := v["content"]
	_, schema := v["type"]
	return content && !schema
}

func refs(v any, found []string) []string {
	switch v := v.(type) {
	case object:
		for k, child := range v {
			if ref, ok := child.(string); ok && k == "$ref" {
				found = append(found, ref)
				continue
			}
			found = refs(child, found)
		}
	case []any:
		for _, child := range v {
			found = refs(child, found)
		}
	}
	return found
}

// examples keeps the recorded payloads without their many links, but for those
// that the parser reads.
func examples() error {
	raw, err := file(examplesPackage, "package/api.github.com/index.json")
	if err != nil {
		return err
	}
	var events []struct {
		Name     string `json:"name"`
		Examples []any  `json:"examples"`
	}
	if err := json.Unmarshal(raw, &events); err != nil {
		return err
	}
	type payload struct {
		Event string `json:"event"`
		Body  any    `json:"body"`
	}
	var out []payload
	for _, e := range events {
		for _, body := range e.Examples {
			unlink(body)
			out = append(out, payload{e.Name, body})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Event < out[j].Event })
	return save("../testdata/payloads.json.gz", object{"from": examplesPackage + " (MIT)", "payloads": out})
}

func unlink(v any) {
	switch v := v.(type) {
	case object:
		for k, child := range v {
			_, text := child.(string)
			if text && strings.HasSuffix(k, "_url") && k != "html_url" && k != "clone_url" || k == "_links" {
				delete(v, k)
				continue
			}
			unlink(child)
		}
	case []any:
		for _, child := range v {
			unlink(child)
		}
	}
}

func save(name string, v any) error {
	var raw bytes.Buffer
	if err := json.NewEncoder(&raw).Encode(v); err != nil {
		return err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(raw.Bytes()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	log.Printf("%s: %d KB, %d KB packed", name, raw.Len()>>10, out.Len()>>10)
	return os.WriteFile(name, out.Bytes(), 0o644)
}
