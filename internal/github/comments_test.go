package github_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

func TestGitHub10_CommentLength(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	// Characters count, not bytes.
	longest := strings.Repeat("ä", github.MaxComment)
	id, err := w.c.CreateComment(ctx, w.repo.ID(), 1, longest)
	if err != nil {
		t.Fatalf("the longest comment: %v", err)
	}
	sent := len(w.sent())
	if err := w.c.UpdateComment(ctx, w.repo.ID(), id, longest+"!"); !errs.Is(err, errs.TooLarge) {
		t.Errorf("one more: %v, want too large", err)
	}
	if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, longest+"!"); !errs.Is(err, errs.TooLarge) {
		t.Errorf("one more: %v, want too large", err)
	}
	if len(w.sent()) != sent {
		t.Error("what cannot succeed was sent")
	}
}

func TestGitHub10_ChecksAreCutToTheLimits(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	line := strings.Repeat("ä", 60) + "\n"
	long := "```diff\n" + strings.Repeat(line, 2000) + "```\n"
	k := github.Check{
		Name: "plan", HeadSHA: w.pull.State().HeadSHA, Status: "completed", Conclusion: "failure", Title: "1 to add", Summary: long, Text: long,
		Actions: []github.CheckAction{{Label: "Plan this all over again", Description: strings.Repeat("d", 60), Identifier: "replan"}},
	}
	for i := range 120 {
		k.Annotations = append(k.Annotations, github.Annotation{Path: "main.tf", StartLine: i + 1, EndLine: i + 1, Level: "warning", Message: fmt.Sprint("no ", i)})
	}
	id, err := w.c.CreateCheck(ctx, w.repo.ID(), k)
	if err != nil {
		t.Fatal(err)
	}
	got := w.pull.Checks()[0]
	if got.ID != id || got.Annotations != 120 {
		t.Errorf("%d annotations, want 120", got.Annotations)
	}
	for name, text := range map[string]string{"summary": got.Summary, "text": got.Text} {
		if n := utf8.RuneCountInString(text); n > github.MaxCheckText || n < 30_000 {
			t.Errorf("%s has %d characters", name, n)
		}
		if !utf8.ValidString(text) || !strings.Contains(text, "cut here") || strings.Count(text, "```") != 2 {
			t.Errorf("%s is not cut cleanly: …%q", name, text[len(text)-80:])
		}
	}
	for name, a := range map[string]github.Annotation{
		"no path": {StartLine: 1, EndLine: 1, Level: "warning", Message: "m"}, "no message": {Path: "a.tf", StartLine: 1, EndLine: 1, Level: "warning"},
		"another level": {Path: "a.tf", StartLine: 1, EndLine: 1, Level: "error", Message: "m"},
	} {
		wrong := k
		wrong.Annotations = []github.Annotation{a}
		if _, err := w.c.CreateCheck(ctx, w.repo.ID(), wrong); !errs.Is(err, errs.Invalid) {
			t.Errorf("an annotation with %s: %v", name, err)
		}
	}
	big := k
	big.Annotations = []github.Annotation{{Path: "a.tf", Level: "notice", Title: strings.Repeat("ä", 300), Message: strings.Repeat("ä", 70_000), Details: strings.Repeat("ä", 70_000)}}
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), big); err != nil {
		t.Errorf("a long annotation is not cut: %v", err)
	}
	k.Actions[0].Identifier = strings.Repeat("i", 21)
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), k); !errs.Is(err, errs.Invalid) {
		t.Errorf("an identifier of 21 characters: %v", err)
	}
	k.Actions = make([]github.CheckAction, 4)
	if err := w.c.UpdateCheck(ctx, w.repo.ID(), id, k); !errs.Is(err, errs.Invalid) {
		t.Errorf("four actions: %v", err)
	}
}

func TestChecksGoThroughTheirStates(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	k := github.Check{Name: "plan", HeadSHA: w.pull.State().HeadSHA, Status: "queued", ExternalID: "run-1", DetailsURL: "https://tidelock.test/runs/1"}
	id, err := w.c.CreateCheck(ctx, w.repo.ID(), k)
	if err != nil {
		t.Fatal(err)
	}
	k.Status, k.StartedAt = "in_progress", w.clock.Now()
	if err := w.c.UpdateCheck(ctx, w.repo.ID(), id, k); err != nil {
		t.Fatal(err)
	}
	k.Status, k.Conclusion, k.Title, k.Summary, k.CompletedAt = "completed", "success", "No changes", "Nothing to do.", w.clock.Now()
	if err := w.c.UpdateCheck(ctx, w.repo.ID(), id, k); err != nil {
		t.Fatal(err)
	}
	got := w.pull.Checks()
	if len(got) != 1 || got[0].Conclusion != "success" || got[0].Status != "completed" || got[0].Title != "No changes" || got[0].ExternalID != "run-1" ||
		got[0].DetailsURL != "https://tidelock.test/runs/1" {
		t.Errorf("got %+v", got)
	}
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), github.Check{Name: "x", HeadSHA: strings.Repeat("1", 40), Status: "queued"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a commit that is not there: %v", err)
	}
}

func TestFindCommentFindsOnlyOurs(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	const marker = "<!-- tidelock:change-1 -->"
	w.pull.Comment("mallory", "Look what I found: "+marker)
	if id, err := w.c.FindComment(ctx, w.repo.ID(), 1, marker); err != nil || id != 0 {
		t.Errorf("a person's comment is taken for ours: %d, %v", id, err)
	}
	for i := range 110 {
		w.pull.Comment("ada", fmt.Sprint("chatter ", i))
	}
	want, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "The plan\n"+marker)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := w.c.FindComment(ctx, w.repo.ID(), 1, marker); err != nil || id != want {
		t.Errorf("found %d, %v; want %d", id, err, want)
	}
	w.pull.DeleteComment("ada", want)
	if err := w.c.UpdateComment(ctx, w.repo.ID(), want, "x"); !errs.Is(err, errs.NotFound) {
		t.Errorf("updating a deleted comment: %v, want not found", err)
	}
}

func TestCommentAndReactions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	id := w.pull.Comment("ada", "tidelock plan")
	c, err := w.c.Comment(ctx, w.repo.ID(), id)
	if err != nil || c.Body != "tidelock plan" || c.Author != "ada" || c.AuthorType != "User" || c.AuthorID != w.gh.Person("ada").ID || c.AppID != 0 || c.NodeID == "" {
		t.Errorf("got %+v, %v", c, err)
	}
	for range 2 { // safe to repeat
		if err := w.c.React(ctx, w.repo.ID(), id, "eyes"); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.pull.Comments()[0].Reactions; len(got) != 1 || got[0] != "eyes" {
		t.Errorf("reactions %v", got)
	}
	ours, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "hello")
	if err != nil {
		t.Fatal(err)
	}
	c, err = w.c.Comment(ctx, w.repo.ID(), ours)
	if err != nil || c.Author != "tidelock[bot]" || c.AuthorType != "Bot" || c.AppID != w.app.ID() {
		t.Errorf("our own comment: %+v, %v", c, err)
	}
}
