package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed components.txt
var componentsText string

var componentRules = mustParse(componentsText)

// mustParse reads the rules, one a line, with columns apart by bars. The text
// is part of this program: what is wrong in it is a mistake of ours.
func mustParse(text string) []componentRule {
	var rules []componentRule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		col := make([]string, 8)
		parts := strings.Split(line, "|")
		if len(parts) < 5 || len(parts) > len(col) {
			panic(fmt.Sprintf("components.txt: %q has %d columns", line, len(parts)))
		}
		for i, p := range parts {
			col[i] = strings.TrimSpace(p)
		}
		r := componentRule{
			resource: col[0], component: col[1], service: col[2], sku: col[3], unit: col[4],
			quantity: col[5], divide: col[6], region: col[7],
		}
		if name, unit, ok := strings.Cut(r.component, " ["); ok {
			r.component, r.listed = name, strings.TrimSuffix(unit, "]")
		}
		if only, ok := strings.CutPrefix(r.region, "="); ok {
			r.region, r.only = "", only
		}
		rules = append(rules, r)
	}
	return rules
}

var zone = regexp.MustCompile(`^([a-z]+-[a-z]+\d+)-[a-z]$`)

// normalRegion turns Azure's display names ("West Europe") into names, and
// Google's zones into their regions.
func normalRegion(r string) string {
	r = strings.ToLower(strings.ReplaceAll(r, " ", ""))
	if m := zone.FindStringSubmatch(r); m != nil {
		return m[1]
	}
	return r
}
