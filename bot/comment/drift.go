package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// DriftView is what a repository's drift issue may say. It is read from the
// database alone.
type DriftView struct {
	Repo     clients.Repo
	Projects []DriftProject // by name
	URL      string         // of the page about drift here; "" for none
}

// DriftProject is a project with the run that looked at it last.
type DriftProject struct {
	drift.Project
	Last run.Run // the zero Run where it was deleted
}

// DriftMark is the hidden line by which the bot finds the issue again.
func DriftMark(repo int64) string { return fmt.Sprintf("<!-- tidelock-drift:%d -->", repo) }

// DriftIssue returns the title and the text of a repository's drift issue. Pure.
func DriftIssue(v DriftView) (title, body string) {
	moved, failed := 0, 0
	for _, p := range v.Projects {
		switch p.Status {
		case drift.Drifted:
			moved++
		case drift.Failed:
			failed++
		}
	}
	switch {
	case moved > 0:
		title = fmt.Sprintf("Drift in %d of %s", moved, countOf(len(v.Projects), "project"))
	case failed > 0:
		title = fmt.Sprintf("Drift: %d of %s could not be compared", failed, countOf(len(v.Projects), "project"))
	default:
		title = "Drift: none any more"
	}
	for level := full; level < barest; level++ {
		if body = driftIssue(v, moved, failed, level); len(body) <= maxComment {
			return title, body
		}
	}
	return title, driftIssue(v, moved, failed, barest)
}

func driftIssue(v DriftView, moved, failed int, level detail) string {
	var b strings.Builder
	b.WriteString(DriftMark(v.Repo.ID) + "\n")
	switch {
	case moved > 0:
		fmt.Fprintf(&b, "### 🌊 Something was changed outside of Terraform\n\nIn %d of %s the world is not what the state says.\n\n", moved, countOf(len(v.Projects), "project"))
	case failed > 0:
		b.WriteString("### ❌ Nobody knows whether something has drifted\n\nA project that had drifted can't be compared with the world now.\n\n")
	default:
		b.WriteString("### ✅ No drift any more\n\nThe infrastructure is what the states say, so this issue is closed. It is opened again when something drifts.\n\n")
	}
	b.WriteString("| project | outside of Terraform | since | last looked at |\n|---|---|---|---|\n")
	shown := 0
	for _, p := range driftFirst(v.Projects) {
		if level == barest && shown == maxRows || shown == 500 {
			fmt.Fprintf(&b, "| … and %d more projects | | | |\n", len(v.Projects)-shown)
			break
		}
		shown++
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", markdown.Cell(shorten(p.Name)), driftState(p), p.Since.UTC().Format(issueTime), p.Checked.UTC().Format(issueTime))
	}
	b.WriteString("\n")
	for _, p := range v.Projects {
		if b.Len() > maxComment { // it is not taken, and less detail is tried
			break
		}
		b.WriteString(driftSection(p, level, moved == 1))
	}
	if moved > 0 {
		b.WriteString("#### Next\n\nTo keep a change, write it into the code and open a pull request. To take it back, plan and apply the project: its plan shows what the code turns back. " +
			"Or close this issue; it rests then until the drift is another.\n\n")
	}
	if v.URL != "" {
		fmt.Fprintf(&b, "<sub>Kept up to date by Tidelock; [the history is there](%s)</sub>\n", v.URL)
	} else {
		b.WriteString("<sub>Kept up to date by Tidelock</sub>\n")
	}
	return markdown.Calm(b.String())
}

const issueTime = "2006-01-02 15:04 MST"

// driftFirst puts what has drifted above what could not be compared and what
// is clean.
func driftFirst(all []DriftProject) []DriftProject {
	var out []DriftProject
	for _, s := range []drift.Status{drift.Drifted, drift.Failed, drift.Clean} {
		for _, p := range all {
			if p.Status == s {
				out = append(out, p)
			}
		}
	}
	return out
}

func driftState(p DriftProject) string {
	text := ""
	switch p.Status {
	case drift.Clean:
		return "nothing changed"
	case drift.Failed:
		text = "❌ not compared"
	default:
		text = counts(p.Last)
		if text == "" {
			text = "changed"
		}
		text = "🌊 " + text
	}
	if p.Pull != 0 {
		text += fmt.Sprintf("; #%d is changing it", p.Pull)
	}
	if p.Remedy != 0 {
		text += fmt.Sprintf("; #%d takes it back", p.Remedy)
	}
	return text
}

// driftSection is what was found in one project, folded away.
func driftSection(p DriftProject, level detail, alone bool) string {
	name := markdown.Code(shorten(p.Name))
	switch {
	case level == barest || p.Status == drift.Clean:
		return ""
	case p.Status == drift.Failed:
		limit := maxError
		if level >= summary {
			limit = maxShortError
		}
		return markdown.Fold("Why "+name+" could not be compared", markdown.Fenced("", markdown.Cut(p.Last.Error, limit)), false)
	case level >= summary || p.Last.Diff == "":
		return ""
	}
	diff := p.Last.Diff
	if level == terse {
		diff = headings(diff)
	}
	return markdown.Fold("What has changed in "+name, markdown.Fenced("diff", diff), alone && level == full)
}

// maxReport is how much of a drift the report in the repository names, in
// bytes.
const maxReport = 20_000

// DriftReport returns the file whose change asks for a project's drift to be
// taken back. It names what has drifted and holds none of the values: a
// repository's history is for good. Pure.
func DriftReport(p DriftProject) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Drift of %s\n\nSomething was changed outside of Terraform. Changing this file has Tidelock plan the project, and the\nplan's apply takes the change back.\n\n",
		markdown.Prose(p.Name))
	fmt.Fprintf(&b, "Noticed %s, drift %s.\n", p.Since.UTC().Format(issueTime), p.Digest)
	if list := headings(p.Last.Diff); list != "" {
		b.WriteString("\n" + markdown.Fenced("", markdown.Cut(list, maxReport)) + "\n")
	}
	return b.String()
}

// DriftOffer returns the title and the text of the pull request that would take
// a project's drift back. issue is the number of the drift issue; 0 for none.
// Pure.
func DriftOffer(p DriftProject, issue int) (title, body string) {
	title = "Take back the drift of " + markdown.OneLine(shorten(p.Name))
	var b strings.Builder
	fmt.Fprintf(&b, "Something was changed outside of Terraform in %s", markdown.Code(shorten(p.Name)))
	if issue != 0 {
		fmt.Fprintf(&b, ", as #%d tells", issue)
	}
	b.WriteString(". This pull request changes no code: it touches a report, and so has the project planned. **The plan shows what the apply turns back.** " +
		"Gates, policies and reviews are those of any other pull request.\n\n" +
		"To keep the change instead, write it into the code and close this. It is closed by itself when there is nothing to take back any more, and not opened again for the same drift.\n")
	return title, b.String()
}

// DriftRetracted says why the pull request was closed.
const DriftRetracted = "There is nothing to take back any more, so this is closed."
