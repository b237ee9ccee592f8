package tfrun

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Install says where runs get providers from: from nowhere else, and never
// from what the repository holds.
type Install struct {
	Mirrors []Mirror // in the order in which they are looked into
	Direct  bool     // whether registries are asked
	// Allow are patterns of the providers that registries are asked for, such
	// as registry.terraform.io/hashicorp/*; none is all. Exclude are those
	// that they are not asked for.
	Allow, Exclude []string
}

// Mirror is a folder of packages, which the tool links to where they are
// unpacked.
type Mirror struct {
	Path  string
	Allow []string // patterns of the providers that are taken from it; none is all
}

// CLIConfig returns the CLI configuration file that says so to the tool.
func (i Install) CLIConfig() []byte {
	var b bytes.Buffer
	b.WriteString("disable_checkpoint = true\n\nprovider_installation {\n")
	for _, m := range i.Mirrors {
		fmt.Fprintf(&b, "  filesystem_mirror {\n    path = %s\n", hclQuote(m.Path))
		writePatterns(&b, "include", m.Allow)
		b.WriteString("  }\n")
	}
	if i.Direct {
		b.WriteString("  direct {\n")
		writePatterns(&b, "include", i.Allow)
		writePatterns(&b, "exclude", i.Exclude)
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func writePatterns(b *bytes.Buffer, name string, patterns []string) {
	if len(patterns) == 0 {
		return
	}
	quoted := make([]string, len(patterns))
	for i, p := range patterns {
		quoted[i] = hclQuote(p)
	}
	fmt.Fprintf(b, "    %s = [%s]\n", name, strings.Join(quoted, ", "))
}

// CLIConfig returns a CLI configuration with one mirror of unpacked packages,
// where mirrorDir is not empty, and the registries, where direct is set.
func CLIConfig(mirrorDir string, direct bool) []byte {
	i := Install{Direct: direct}
	if mirrorDir != "" {
		i.Mirrors = []Mirror{{Path: mirrorDir}}
	}
	return i.CLIConfig()
}

// hclQuote writes a string literal of HCL in which nothing is a template.
func hclQuote(s string) string {
	q := strconv.Quote(s)
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(q)
}
