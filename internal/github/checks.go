package github

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/errs"
)

// GitHub's limits on a check run. Lengths are in characters; we count bytes,
// which are never fewer, where much text is concerned.
const (
	MaxCheckText      = 65535
	maxAnnotations    = 50 // a request
	maxActions        = 3
	maxActionLabel    = 20
	maxActionDescr    = 40
	maxActionID       = 20
	maxAnnotationText = 64 << 10
)

type checkJSON struct {
	Name        string          `json:"name,omitempty"`
	HeadSHA     string          `json:"head_sha,omitempty"`
	DetailsURL  string          `json:"details_url,omitempty"`
	ExternalID  string          `json:"external_id,omitempty"`
	Status      string          `json:"status,omitempty"`
	Conclusion  string          `json:"conclusion,omitempty"`
	StartedAt   *time.Time      `json:"started_at,omitempty"`
	CompletedAt *time.Time      `json:"completed_at,omitempty"`
	Output      *checkOutput    `json:"output,omitempty"`
	Actions     []checkActionJS `json:"actions,omitempty"`
}

type checkOutput struct {
	Title       string         `json:"title"`
	Summary     string         `json:"summary"`
	Text        string         `json:"text,omitempty"`
	Annotations []annotationJS `json:"annotations,omitempty"`
}

type annotationJS struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"`
	Title     string `json:"title,omitempty"`
	Message   string `json:"message"`
	Details   string `json:"raw_details,omitempty"`
}

type checkActionJS struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// requests turns a check into the bodies to send: the first has all but the
// annotations beyond 50, the others have those.
func (k Check) requests() ([]checkJSON, error) {
	if len(k.Actions) > maxActions {
		return nil, errs.New(errs.Invalid, "A check has at most %d actions; %q has %d.", maxActions, k.Name, len(k.Actions))
	}
	first := checkJSON{
		Name: k.Name, HeadSHA: k.HeadSHA, DetailsURL: k.DetailsURL, ExternalID: k.ExternalID,
		Status: k.Status, Conclusion: k.Conclusion, StartedAt: timePtr(k.StartedAt), CompletedAt: timePtr(k.CompletedAt),
	}
	for _, a := range k.Actions {
		if utf8.RuneCountInString(a.Identifier) > maxActionID {
			return nil, errs.New(errs.Invalid, "The check action's identifier %q is longer than %d characters.", a.Identifier, maxActionID)
		}
		first.Actions = append(first.Actions, checkActionJS{
			Label: cutRunes(a.Label, maxActionLabel), Description: cutRunes(a.Description, maxActionDescr), Identifier: a.Identifier,
		})
	}
	if k.Title == "" && k.Summary == "" && k.Text == "" && len(k.Annotations) == 0 {
		return []checkJSON{first}, nil
	}
	title, summary := k.Title, cutText(k.Summary, MaxCheckText)
	if title == "" { // GitHub wants both or neither
		title = k.Name
	}
	var notes []annotationJS
	for _, a := range k.Annotations {
		notes = append(notes, annotationJS{
			Path: a.Path, StartLine: max(a.StartLine, 1), EndLine: max(a.EndLine, a.StartLine, 1), Level: a.Level,
			Title: cutRunes(a.Title, 255), Message: cutText(a.Message, maxAnnotationText), Details: cutText(a.Details, maxAnnotationText),
		})
	}
	batch := min(len(notes), maxAnnotations)
	first.Output = &checkOutput{Title: title, Summary: summary, Text: cutText(k.Text, MaxCheckText), Annotations: notes[:batch]}
	all := []checkJSON{first}
	for notes = notes[batch:]; len(notes) > 0; notes = notes[batch:] {
		batch = min(len(notes), maxAnnotations)
		all = append(all, checkJSON{Output: &checkOutput{Title: title, Summary: summary, Annotations: notes[:batch]}})
	}
	return all, nil
}

// CreateCheck makes a check run on Check.HeadSHA and returns its ID. A second
// one of the same name on the same commit takes the first one's place in the
// pull's list. One request, and one more per 50 annotations beyond the first
// 50.
func (c *Client) CreateCheck(ctx context.Context, repoID int64, k Check) (int64, error) {
	bodies, err := k.requests()
	if err != nil {
		return 0, err
	}
	var out struct {
		ID int64 `json:"id"`
	}
	if _, err := c.repo(ctx, repoID, "POST", "/check-runs", bodies[0], &out); err != nil {
		return 0, classify(fmt.Sprintf("create check %q in repository %d", k.Name, repoID), err)
	}
	return out.ID, c.patchCheck(ctx, repoID, out.ID, bodies[1:])
}

// UpdateCheck changes a check run. Empty fields stay as they are; HeadSHA
// cannot change and is not sent. Safe to repeat but for annotations, which
// append. Requests as for CreateCheck.
func (c *Client) UpdateCheck(ctx context.Context, repoID, id int64, k Check) error {
	k.HeadSHA = ""
	bodies, err := k.requests()
	if err != nil {
		return err
	}
	return c.patchCheck(ctx, repoID, id, bodies)
}

func (c *Client) patchCheck(ctx context.Context, repoID, id int64, bodies []checkJSON) error {
	for _, b := range bodies {
		if _, err := c.repo(ctx, repoID, "PATCH", "/check-runs/"+itoa(id), b, nil); err != nil {
			return classify(fmt.Sprintf("update check %d of repository %d", id, repoID), err)
		}
	}
	return nil
}

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// cutRunes cuts s to n characters, the last one an ellipsis.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// cutText cuts Markdown to at most n bytes and says so; it cuts between lines
// where it can, and closes a code fence that it cut open.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const note = "\n\n*(cut here: GitHub takes no more)*"
	keep := n - len(note) - 16 // room to close a fence
	for keep > 0 && !utf8.RuneStart(s[keep]) {
		keep--
	}
	s = s[:keep]
	if i := lastNewline(s); i > len(s)/2 {
		s = s[:i]
	}
	return s + closeFence(s) + note
}

func lastNewline(s string) int { return strings.LastIndexByte(s, '\n') }

// closeFence returns what closes the code fence that s leaves open, if any.
func closeFence(s string) string {
	open := ""
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		ticks := len(line) - len(strings.TrimLeft(line, "`"))
		switch {
		case open == "" && ticks >= 3:
			open = line[:ticks]
		case open != "" && ticks >= len(open) && strings.Trim(line, "`") == "":
			open = ""
		}
	}
	if open == "" {
		return ""
	}
	return "\n" + open[:min(len(open), 14)]
}
