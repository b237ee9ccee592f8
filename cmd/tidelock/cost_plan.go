package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// maxDeskPlan bounds a plan's JSON that is read at a desk, in bytes.
const maxDeskPlan = 512 << 20

// readDeskPlan reads the output of `terraform show -json PLANFILE`, from
// standard input where path is "-". Its errors say what was given instead, and
// in which line JSON goes wrong.
func readDeskPlan(path string, stdin io.Reader) (*tfplan.Plan, error) {
	name, in := path, stdin
	if path == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, unreadable("plan", path, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, errs.New(errs.Invalid, "%s is a folder. Give the plan's JSON: terraform show -json PLANFILE > plan.json. `tidelock plan` makes plans itself.", path)
		}
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxDeskPlan+1))
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The plan %s can't be read.", name)
	}
	if len(data) > maxDeskPlan {
		return nil, errs.New(errs.TooLarge, "%s has more than %d MB.", name, maxDeskPlan>>20)
	}
	data = withoutMark(data)
	if err := notAPlan(name, data); err != nil {
		return nil, err
	}
	plan, err := tfplan.ParsePlan(bytes.NewReader(data))
	switch cause := errors.Unwrap(err); {
	case err == nil:
		return plan, nil
	case cause == nil:
		return nil, errs.New(errs.KindOf(err), "%s: %s", name, inSentence(err))
	default:
		return nil, errs.Wrap(errs.KindOf(err), cause, "%s: %s", name, inSentence(err))
	}
}

// unreadable says why a file can't be opened.
func unreadable(what, path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errs.New(errs.NotFound, "There is no %s %s.", what, path)
	}
	return errs.Wrap(errs.Invalid, err, "The %s %s can't be read.", what, path)
}

// withoutMark takes off what editors and PowerShell put before a text: its
// `>` writes UTF-16.
func withoutMark(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")) && len(data)%2 == 0:
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i+1 < len(data); i += 2 {
			units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
		}
		return []byte(string(utf16.Decode(units)))
	}
	return data
}

// notAPlan says what a file is that is no plan's JSON; nil for what looks like
// one.
func notAPlan(name string, data []byte) error {
	text := bytes.TrimSpace(data)
	asJSON := "Make JSON of it: terraform show -json " + shownPlanFile(name) + " > plan.json"
	switch {
	case len(text) == 0:
		return errs.New(errs.Invalid, "%s is empty. Give the output of: terraform show -json PLANFILE", name)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return errs.New(errs.Invalid, "%s is a plan file as Terraform saves it, not its JSON. %s", name, asJSON)
	case bytes.IndexByte(text[:min(len(text), 512)], 0) >= 0:
		return errs.New(errs.Invalid, "%s is binary, and no plan's JSON. Give the output of: terraform show -json PLANFILE", name)
	case text[0] != '{':
		if line, _, _ := bytes.Cut(text, []byte("\n")); bytes.Contains(text, []byte("Terraform will perform")) || bytes.Contains(text, []byte("OpenTofu will perform")) || bytes.HasPrefix(line, []byte("Plan:")) {
			return errs.New(errs.Invalid, "%s is a plan as people read it, not its JSON. Save it with: terraform plan -out PLANFILE, then: terraform show -json PLANFILE > plan.json", name)
		}
		return errs.New(errs.Invalid, "%s:1: this is no plan's JSON: it begins with %q. Give the output of: terraform show -json PLANFILE", name, text[:1])
	}
	var head struct {
		Format   *string         `json:"format_version"`
		Changes  json.RawMessage `json:"resource_changes"`
		Planned  json.RawMessage `json:"planned_values"`
		Values   json.RawMessage `json:"values"`
		Lineage  *string         `json:"lineage"`
		Serial   *json.Number    `json:"serial"`
		Level    *string         `json:"@level"`
		Projects json.RawMessage `json:"projects"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&head); err != nil {
		return jsonProblem(name, data, err)
	}
	end := dec.InputOffset()
	switch {
	case head.Level != nil:
		return errs.New(errs.Invalid, "%s is what `terraform plan -json` says while it plans, line by line, which lacks what prices need. Save the plan with: terraform plan -out PLANFILE, then: terraform show -json PLANFILE > plan.json", name)
	case head.Lineage != nil || head.Serial != nil && head.Format == nil:
		return errs.New(errs.Invalid, "%s is a state file. A plan that changes nothing prices what is there: terraform plan -out PLANFILE, then: terraform show -json PLANFILE > plan.json", name)
	case head.Format != nil && head.Changes == nil && head.Planned == nil && head.Values != nil:
		return errs.New(errs.Invalid, "%s is the JSON of a state, not of a plan. A plan that changes nothing prices what is there: terraform plan -out PLANFILE, then: terraform show -json PLANFILE > plan.json", name)
	case head.Projects != nil && head.Format == nil:
		return errs.New(errs.Invalid, "%s is an estimate in Infracost's JSON, not a plan. `--compare-to %s` compares plans with it.", name, name)
	case head.Format == nil:
		return errs.New(errs.Invalid, "%s is JSON, but of no plan: it has no format_version. Give the output of: terraform show -json PLANFILE", name)
	case len(bytes.TrimSpace(data[end:])) > 0:
		return errs.New(errs.Invalid, "%s:%d: something follows the end of the plan's JSON. Give each plan in a file of its own, with --plan for each.", name, lineOf(data, end+1))
	}
	return nil
}

// shownPlanFile is a name for an example command.
func shownPlanFile(name string) string {
	if strings.ContainsAny(name, " '\"\\") {
		return "PLANFILE"
	}
	return filepath.Clean(name)
}

// jsonProblem says where JSON goes wrong.
func jsonProblem(name string, data []byte, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errs.New(errs.Invalid, "%s:%d: the JSON ends in the middle: the file was cut off. Write it again with: terraform show -json PLANFILE > plan.json", name, lineOf(data, int64(len(bytes.TrimSpace(data)))))
	case errors.As(err, &syntax):
		return errs.New(errs.Invalid, "%s:%d: this is no JSON: %s.", name, lineOf(data, syntax.Offset), syntax)
	case errors.As(err, &typ):
		return errs.New(errs.Invalid, "%s:%d: %s is a JSON %s, which no plan has there.", name, lineOf(data, typ.Offset), typ.Field, typ.Value)
	}
	return errs.Wrap(errs.Invalid, err, "%s can't be read as JSON.", name)
}

// lineOf is the line of an offset, from 1.
func lineOf(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

// costProject is one plan with what it is called.
type costProject struct {
	name, path string
	plan       *tfplan.Plan
}

// readCostPlans reads all plans of a command line. names are given in the
// order of the plans; a plan without one is called by its path.
func readCostPlans(paths, names []string, stdin io.Reader) ([]costProject, error) {
	if len(names) > len(paths) {
		return nil, errs.New(errs.Invalid, "There are %d names, but %s. --project-name names the plans in their order.", len(names), counted(len(paths), "plan"))
	}
	var out []costProject
	seen := map[string]string{}
	for i, path := range paths {
		p := costProject{name: path, path: path}
		if path == "-" {
			p.name = "plan"
		}
		if i < len(names) && names[i] != "" {
			p.name = names[i]
		}
		if other, ok := seen[p.name]; ok {
			return nil, errs.New(errs.Invalid, "Two plans are called %q: %s and %s. Give them names with --project-name, in their order.", p.name, other, path)
		}
		seen[p.name] = path
		var err error
		if p.plan, err = readDeskPlan(path, stdin); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// notes tell what a reader of a plan's figures must know of the plan.
func (p costProject) notes() []string {
	var out []string
	if p.plan.Errored {
		out = append(out, fmt.Sprintf("The plan of %s is half one: planning failed, and what comes after is not in it.", p.name))
	}
	if p.plan.Incomplete {
		out = append(out, fmt.Sprintf("The plan of %s is not the whole of the change: another plan has to follow its apply.", p.name))
	}
	return out
}

// inSentence is what an error says, to go on with after a colon.
func inSentence(err error) string {
	text := errs.Sentence(err)
	return strings.ToLower(text[:1]) + text[1:]
}
