package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// maxParts is how many comments one change is told in.
const maxParts = 10

// Comments returns what the change's comments say, the first one first; there
// is always one. There are more only where the settings ask for that and one
// can't hold the plans. The markers by which they are found again are not in
// them. It is pure.
func Comments(v View) []string {
	if v.Settings.Template != "" {
		return []string{fromTemplate(v)}
	}
	if v.Settings.SplitComments {
		if parts := split(v); parts != nil {
			return parts
		}
	}
	return []string{Render(v)}
}

// split tells the change in full detail, in as many comments as that takes. It
// returns nil where one is enough, or where even the table fills one.
func split(v View) []string {
	v.Pairs = arranged(v.Pairs)
	if len(render(v, full)) <= maxComment {
		return nil
	}
	head, tail := opening(v, full), closing(v)
	for level := terse; len(head)+len(tail) > maxComment/2; level++ { // with less of the cost it may do
		if level == barest {
			return nil
		}
		head = opening(v, level)
	}
	const on = "_The plans go on below._\n\n"
	parts, room := []string{head}, maxComment-len(tail)-len(on)-len(head)
	left := 0
	for _, p := range v.Pairs {
		for _, block := range blocks(v, p) {
			if len(block) > room && len(parts) < maxParts {
				parts = append(parts, "")
				room = maxComment - 500 // the further comments' own head and foot
			}
			if len(block) > room {
				left++
				continue
			}
			parts[len(parts)-1] += block
			room -= len(block)
		}
	}
	if left > 0 {
		parts[len(parts)-1] += "_… and more than comments can hold._\n\n"
	}
	for i := range parts {
		if i == 0 {
			parts[i] += on + tail
		} else {
			parts[i] = fmt.Sprintf("### Plans, comment %d of %d\n\n%s%s", i+1, len(parts), parts[i], footer(v))
		}
		parts[i] = markdown.Calm(parts[i])
	}
	return parts
}

// maxBlock is the most that a comment takes of one plan at once, in bytes.
const maxBlock = 50_000

// blocks is a project's section in pieces of which each fits into a comment.
func blocks(v View, p run.Pair) []string {
	whole := section(v, p, full)
	if len(whole) <= maxBlock {
		return []string{whole}
	}
	name := markdown.Code(shorten(p.Plan.Project.Name))
	shown := shownPlan(p)
	pieces := chunks(shown.Diff, maxBlock)
	out := []string{section(v, p, summary)}
	for i, piece := range pieces {
		title := fmt.Sprintf("Plan of %s: %s", name, sums(*shown))
		if len(pieces) > 1 {
			title += fmt.Sprintf(" (%d of %d)", i+1, len(pieces))
		}
		out = append(out, markdown.Fold(title, markdown.Fenced("diff", piece), false))
	}
	return out
}

// chunks cuts a plan's text into pieces of at most n bytes, between resources
// where it can, else between lines.
func chunks(diff string, n int) []string {
	var out []string
	for len(diff) > n {
		at := strings.LastIndex(diff[:n], "\n\n")
		if at <= 0 {
			at = strings.LastIndexByte(diff[:n], '\n')
		}
		if at <= 0 {
			at = len(strings.ToValidUTF8(diff[:n], ""))
		}
		out = append(out, diff[:at])
		diff = strings.TrimLeft(diff[at:], "\n")
	}
	return append(out, diff)
}
