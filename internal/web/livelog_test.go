package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// follow has the site show logs that grow, from a folder.
func (w *world) follow(node string) (folder string) {
	folder = w.t.TempDir()
	w.site.Node, w.site.LogPath = node, func(id string) string { return filepath.Join(folder, id+".txt") }
	return folder
}

func (w *world) say(folder string, r run.Run, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(folder, r.ID+".txt"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

const secretPlan = `{"format_version":"1.2","resource_changes":[{"address":"aws_x.a","mode":"managed","type":"aws_x","name":"a",` +
	`"change":{"actions":["create"],"before":null,"after":{"password":"hunter2-canary"},"after_unknown":{},"before_sensitive":false,"after_sensitive":{"password":true}}}]}`

func TestThreat_LogThatGrowsHidesSecrets(t *testing.T) {
	w := local(t)
	w.site.Masker = redact.NewMasker("server-secret-1")
	folder := w.follow("node-1")
	c := w.open(w.repo, 36, "t", "36")
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) { r.Summary.Create, r.PlanJSONBlob = 1, w.put("plan.json", secretPlan) })
	apply := w.applying(plan)
	page := func() *html.Node { return w.page("/runs/" + apply.ID) }
	has(t, "before it begins", page(), "It is stored when the run has ended.")
	w.say(folder, apply, "aws_x.a: Creating... hunter2-canary \x1b[1mserver-secret-1\x1b[0m </pre><script>window.hacked=1</script>\u202e\nhalf a line with hunter2-")
	doc := page()
	log := find(doc, "pre", "log")
	if len(log) != 1 || !hasAttr(log[0], "data-follow") {
		t.Fatal("the log is not shown")
	}
	var answer logAnswer
	w.json("/api/v1/runs/"+apply.ID+"/log", &answer)
	for where, text := range map[string]string{"the page": content(doc), "the text": w.text("/runs/" + apply.ID + "/log"), "JSON": answer.Log} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "server-secret-1") || strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s shows what it must not: %s", where, text)
		}
		if !strings.Contains(text, "aws_x.a: Creating... "+redact.Mask+" "+redact.Mask) {
			t.Errorf("%s says %s", where, text)
		}
	}
	if answer.Complete || len(find(doc, "script", "")) != 1 {
		t.Errorf("complete %v, %d scripts", answer.Complete, len(find(doc, "script", "")))
	}

	// A long one is shown from its end, whole lines.
	w.say(folder, apply, "first line\n"+strings.Repeat("x hunter2-canary y\n", 40_000)+"last line\n")
	text := w.text("/api/v1/runs/" + apply.ID + "/log")
	if len(text) > 2*maxShownLog || strings.Contains(text, "first line") || strings.Contains(text, "hunter2") || strings.Contains(text, "canary") || !strings.Contains(text, "last line") {
		t.Errorf("a long log gives %d bytes: %.200s", len(text), text)
	}
	has(t, "a long log", page(), "Its end. The whole log is there when the run has ended.")

	// What is stored takes its place.
	apply.LogBlob = w.put("log", "stored\n")
	w.applied(apply)
	if w.json("/api/v1/runs/"+apply.ID+"/log", &answer); answer.Log != "stored\n" || !answer.Complete {
		t.Errorf("at its end the log is %+v", answer)
	}
	if hasAttr(find(page(), "pre", "log")[0], "data-follow") {
		t.Error("the stored log is still followed")
	}
}

// TestThreat_LogIsFollowedWhereItsSecretsAreKnown goes through what must not be shown while it
// grows: the log of a plan, whose secrets nobody knows yet, that of an apply
// whose plan can't be read, that of another node, and what is no log at all.
func TestThreat_LogIsFollowedWhereItsSecretsAreKnown(t *testing.T) {
	w := local(t)
	folder := w.follow("node-1")
	c := w.open(w.repo, 37, "t", "37")
	plans := w.plans(c, "a", "b", "c", "d")
	refused := func(what string, r run.Run) {
		t.Helper()
		w.say(folder, r, "what it says\n")
		if text := content(w.page("/runs/" + r.ID)); strings.Contains(text, "what it says") {
			t.Errorf("%s is shown", what)
		}
		if res := w.ask("GET", "/api/v1/runs/"+r.ID+"/log"); res.StatusCode < 400 {
			t.Errorf("%s: %s", what, res.Status)
		}
	}
	refused("the log of a plan", w.begin(plans[0]))
	refused("the log of an apply without the plan's JSON", w.applying(w.planned(plans[1], func(r *run.Run) { r.Summary.Create = 1 })))
	gone := w.applying(w.planned(plans[2], func(r *run.Run) { r.Summary.Create, r.PlanJSONBlob = 1, w.put("plan.json", "{}") }))
	refused("the log of an apply whose plan can't be read", gone)
	if !strings.Contains(w.log.String(), "can't be followed") {
		t.Error("nothing is logged")
	}

	good := w.applying(w.planned(plans[3], func(r *run.Run) { r.Summary.Create, r.PlanJSONBlob = 1, w.put("plan.json", secretPlan) }))
	w.site.Node = "node-2"
	refused("the log of another node's run", good)
	w.site.Node = "node-1"
	has(t, "this node's", w.page("/runs/"+good.ID), "what it says") // the test can tell
	path := w.site.LogPath(good.ID)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(folder, "key")
	if err := os.WriteFile(secret, []byte("the server's key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, path); err != nil {
		t.Fatal(err)
	}
	lacks(t, "a link in the log's place", w.page("/runs/"+good.ID), "the server's key")

	op := w.operating(w.operation(c, project("z", 0), planner.Operation{Kind: planner.StateRemove, Args: []string{"aws_x.a"}}, ""))
	w.say(folder, op, "Removed aws_x.a\n")
	has(t, "a state operation", w.page("/runs/"+op.ID), "Removed aws_x.a", "as it grows")
}
