package github_test

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/github"
)

func TestEveryCall(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	id, n := w.repo.ID(), w.pull.Number()
	if _, err := w.app.Self(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := w.c.Pull(ctx, id, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", p)
	if _, err := w.c.Repo(ctx, id); err != nil {
		t.Fatal(err)
	}
	cid, err := w.c.CreateComment(ctx, id, n, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.c.UpdateComment(ctx, id, cid, "hello 2"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.c.CreateCheck(ctx, id, github.Check{Name: "x", HeadSHA: p.HeadSHA, Status: "queued"}); err != nil {
		t.Fatal(err)
	}
	t.Log(w.sent())
}
