package sarif

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/tidelock/tidelock/internal/policy"
)

// Report is what Write writes: one project's findings.
type Report struct {
	policy.Report
	Version string // of Tidelock
	Repo    string // its URL; "" where there is none
	Commit  string
	Project string // names the analysis, so that two projects' results stand side by side
	// Rules are those that are known, by ID; what is not among them is told as
	// far as a finding tells it. It may be nil.
	Rules map[string]policy.Rule
	// Accepted says of a finding, by its index, who accepts it and why; "" for
	// one that nobody does. It may be nil.
	Accepted func(finding int) string
}

// What is written of a log.
type (
	outLog struct {
		Schema  string   `json:"$schema"`
		Version string   `json:"version"`
		Runs    []outRun `json:"runs"`
	}
	outRun struct {
		Tool struct {
			Driver outDriver `json:"driver"`
		} `json:"tool"`
		Automation  outAutomation             `json:"automationDetails"`
		Invocations []outInvocation           `json:"invocations,omitempty"`
		Provenance  []outProvenance           `json:"versionControlProvenance,omitempty"`
		Bases       map[string]outDescription `json:"originalUriBaseIds"`
		ColumnKind  string                    `json:"columnKind"`
		Results     []outResult               `json:"results"`
	}
	outAutomation struct {
		ID string `json:"id"`
	}
	outDescription struct {
		Description outText `json:"description"`
	}
	outProvenance struct {
		URI      string `json:"repositoryUri"`
		Revision string `json:"revisionId,omitempty"`
	}
	outInvocation struct {
		Successful    bool              `json:"executionSuccessful"`
		Notifications []outNotification `json:"toolExecutionNotifications,omitempty"`
	}
	outNotification struct {
		Level   string  `json:"level"`
		Message outText `json:"message"`
	}
	outDriver struct {
		Name    string    `json:"name"`
		Version string    `json:"version,omitempty"`
		URI     string    `json:"informationUri,omitempty"`
		Rules   []outRule `json:"rules"`
	}
	outRule struct {
		ID         string         `json:"id"`
		Short      outText        `json:"shortDescription"`
		Full       *outText       `json:"fullDescription,omitempty"`
		Help       *outText       `json:"help,omitempty"`
		HelpURI    string         `json:"helpUri,omitempty"`
		Default    outDefault     `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	outDefault struct {
		Level string `json:"level"`
	}
	outText struct {
		Text string `json:"text"`
	}
	outResult struct {
		Rule         string            `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      outText           `json:"message"`
		Locations    []outLocation     `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
		Suppressions []outSuppression  `json:"suppressions"`
		Properties   map[string]any    `json:"properties"`
	}
	outLocation struct {
		Physical *outPhysical `json:"physicalLocation,omitempty"`
		Logical  []outLogical `json:"logicalLocations,omitempty"`
	}
	outPhysical struct {
		Artifact outArtifact `json:"artifactLocation"`
		Region   *outRegion  `json:"region,omitempty"`
	}
	outArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	outRegion struct {
		Start int `json:"startLine"`
		End   int `json:"endLine,omitempty"`
	}
	outLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	outSuppression struct {
		Kind   string `json:"kind"`
		Status string `json:"status"`
		Why    string `json:"justification"`
	}
)

// root is what paths are relative to: the repository's root.
const root = "%SRCROOT%"

// fingerprintName names our fingerprints, and how they are made.
const fingerprintName = "tidelock/v1"

// Write writes the report as a log: one run of the policies, and one of each
// scanner. What could not be judged is told as what the tool could not do.
func Write(w io.Writer, r Report) error {
	log := outLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0"}
	sources := map[string]bool{"": true}
	for _, f := range r.Findings {
		sources[f.Source] = true
	}
	for _, source := range slices.Sorted(maps.Keys(sources)) { // "" comes first
		log.Runs = append(log.Runs, r.run(source))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(log)
}

func (r Report) run(source string) outRun {
	run := outRun{Automation: outAutomation{ID: "tidelock/" + r.Project + "/"}, ColumnKind: "utf16CodeUnits", Results: []outResult{},
		Bases: map[string]outDescription{root: {outText{"The root of the repository."}}}}
	run.Tool.Driver = outDriver{Name: "Tidelock", Version: r.Version, URI: "https://github.com/tidelock/tidelock", Rules: []outRule{}}
	if source != "" {
		run.Tool.Driver = outDriver{Name: source, Rules: []outRule{}}
		run.Automation.ID = source + "/" + r.Project + "/"
	} else {
		i := outInvocation{Successful: r.Verdict != policy.Error && r.Verdict != ""}
		for _, p := range r.Problems {
			i.Notifications = append(i.Notifications, outNotification{"error", outText{p.String()}})
		}
		if r.Omitted > 0 {
			i.Notifications = append(i.Notifications, outNotification{"warning", outText{strconv.Itoa(r.Omitted) + " more findings are not listed."}})
		}
		run.Invocations = []outInvocation{i}
	}
	if u, err := url.Parse(r.Repo); err == nil && u.IsAbs() {
		run.Provenance = []outProvenance{{r.Repo, r.Commit}}
	}
	index := map[string]int{}
	for i, f := range r.Findings {
		if f.Source != source {
			continue
		}
		if _, ok := index[f.Rule]; !ok {
			index[f.Rule] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, r.rule(f))
		}
		out := result(f, index[f.Rule])
		if r.Accepted != nil {
			if why := r.Accepted(i); why != "" {
				out.Suppressions = append(out.Suppressions, outSuppression{"external", "accepted", why})
			}
		}
		run.Results = append(run.Results, out)
	}
	return run
}

// rule describes a finding's rule.
func (r Report) rule(f policy.Finding) outRule {
	out := outRule{ID: f.Rule, Short: outText{cmp.Or(f.Title, f.Rule)}, HelpURI: webURL(f.URL), Default: outDefault{levelOf(f.Level)},
		Properties: map[string]any{"security-severity": number(f.Severity), "severity": string(f.Severity), "level": string(f.Level), "tags": []string{}}}
	if f.Help != "" {
		out.Help = &outText{f.Help}
	}
	known, ok := r.Rules[f.Rule]
	if !ok || f.Source != "" {
		return out
	}
	if text := cmp.Or(known.Why, known.Description); text != "" {
		out.Full = &outText{text}
	}
	if known.Mend != "" {
		out.Help = &outText{known.Mend}
	}
	tags := []string{}
	for _, framework := range slices.Sorted(maps.Keys(known.Controls)) {
		for _, id := range known.Controls[framework] {
			tags = append(tags, framework+"/"+id)
		}
	}
	out.Properties["tags"] = tags
	return out
}

func result(f policy.Finding, index int) outResult {
	out := outResult{Rule: f.Rule, Index: index, Level: levelOf(f.Level), Message: outText{f.Message}, Suppressions: []outSuppression{},
		Properties: map[string]any{"level": string(f.Level), "severity": string(f.Severity)}}
	var at outLocation
	if f.File != "" {
		at.Physical = &outPhysical{Artifact: outArtifact{relativeURI(f.File), root}}
		if f.Line > 0 {
			at.Physical.Region = &outRegion{f.Line, max(f.EndLine, f.Line)}
		}
	}
	if f.Address != "" {
		at.Logical = []outLogical{{f.Address, "resource"}}
	}
	if at.Physical != nil || at.Logical != nil {
		out.Locations = []outLocation{at}
	}
	if f.Fingerprint != "" {
		out.Fingerprints = map[string]string{fingerprintName: f.Fingerprint}
	}
	return out
}

// relativeURI writes a path as a URI that is relative to a base.
func relativeURI(path string) string { return (&url.URL{Path: path}).String() }

func levelOf(l policy.Level) string {
	if l.Blocks() {
		return string(LevelError)
	}
	return string(LevelWarning)
}

// number is a severity as GitHub's code scanning counts it.
func number(s policy.Severity) string {
	switch s {
	case policy.Critical:
		return "9.5"
	case policy.High:
		return "8.0"
	case policy.Low:
		return "2.0"
	}
	return "5.5"
}
