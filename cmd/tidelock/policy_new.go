package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
)

// ruleName is what a new rule's ID is made of: words of packages, dots between.
var ruleName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// resourceType is what a resource's type looks like.
var resourceType = regexp.MustCompile(`^[a-z][a-z0-9]*_[a-z0-9_]+$`)

func newPolicyNewCommand(p *program) *cobra.Command {
	var dir, resource, title, level, severity string
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Begin a rule, with a test that passes",
		Long: "Writes a rule and its tests into a folder: ID.rego and ID_test.rego, where ID is a package's name such as\n" +
			"storage.names. They are a beginning that works: `tidelock policy test` passes on them. Nothing that is there is\n" +
			"overwritten.",
		Example: "  tidelock policy new storage.names --resource aws_s3_bucket\n" +
			"  tidelock policy new network.peering --dir policies --level advisory --title 'No peering with strangers'",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			r := newRule{id: args[0], resource: resource, title: title, level: level, severity: severity}
			if err := r.check(); err != nil {
				return err
			}
			files, err := r.write(dir)
			if err != nil {
				return err
			}
			for _, f := range files {
				fmt.Fprintf(p.stdout, "wrote %s\n", f)
			}
			_, err = fmt.Fprintf(p.stdout, "Try it: tidelock policy test %s\n", dir)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "policies", "folder that the files are written to; it is made where it is not there")
	f.StringVar(&resource, "resource", "aws_s3_bucket", "type of the resources that the rule looks at")
	f.StringVar(&title, "title", "", "what the rule is called; else its ID")
	f.StringVar(&level, "level", "mandatory", "advisory, mandatory or hard")
	f.StringVar(&severity, "severity", "medium", "critical, high, medium or low")
	if err := cmd.MarkFlagDirname("dir"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	complete(cmd, "level", cobra.FixedCompletions([]string{"advisory", "mandatory", "hard"}, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "severity", cobra.FixedCompletions([]string{"critical", "high", "medium", "low"}, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "resource", cobra.NoFileCompletions)
	complete(cmd, "title", cobra.NoFileCompletions)
	return cmd
}

// newRule is a rule that is begun.
type newRule struct{ id, resource, title, level, severity string }

func (r *newRule) check() error {
	first, _, _ := strings.Cut(r.id, ".")
	switch {
	case !ruleName.MatchString(r.id):
		return errs.New(errs.Invalid, "%q is no ID of a rule: small letters, digits and _, with dots between the words, as in storage.names.", r.id)
	case first == "tidelock" || first == "data" || first == "input" || first == "system":
		return errs.New(errs.Invalid, "No rule's ID begins with %s: choose a name of your own, as in acme.names.", first)
	case !resourceType.MatchString(r.resource):
		return errs.New(errs.Invalid, "--resource is a resource's type, as in aws_s3_bucket, not %q.", r.resource)
	case r.level != "advisory" && r.level != "mandatory" && r.level != "hard":
		return errs.New(errs.Invalid, "--level is advisory, mandatory or hard, not %q.", r.level)
	case r.severity != "critical" && r.severity != "high" && r.severity != "medium" && r.severity != "low":
		return errs.New(errs.Invalid, "--severity is critical, high, medium or low, not %q.", r.severity)
	case strings.ContainsAny(r.title, "\n\r"):
		return errs.New(errs.Invalid, "--title is one line.")
	}
	if r.title == "" {
		r.title = strings.ReplaceAll(strings.ReplaceAll(r.id, ".", ": "), "_", " ")
	}
	return nil
}

// write writes both files, or none.
func (r newRule) write(dir string) (written []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder %s can't be made.", dir)
	}
	name := strings.ReplaceAll(r.id, ".", "_")
	defer func() {
		if err != nil {
			for _, f := range written {
				_ = os.Remove(f) // it was made a moment ago
			}
			written = nil
		}
	}()
	for _, file := range []struct{ name, text string }{{name + ".rego", r.rule()}, {name + "_test.rego", r.test()}} {
		path := filepath.Join(dir, file.name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if os.IsExist(err) {
			return written, errs.New(errs.Conflict, "%s is there already, and nothing was written. Choose another ID, or another folder with --dir.", path)
		}
		if err != nil {
			return written, errs.Wrap(errs.Invalid, err, "%s can't be written.", path)
		}
		written = append(written, path)
		if _, err := f.WriteString(file.text); err != nil {
			_ = f.Close()
			return written, err
		}
		if err := f.Close(); err != nil {
			return written, err
		}
	}
	return written, nil
}

func (r newRule) rule() string {
	return fmt.Sprintf(`package %[1]s

# METADATA
# title: %[2]q
# description: What the rule denies, in a sentence.
# custom:
#   severity: %[4]s
#   level: %[5]s
#   why: What goes wrong where nobody minds it.
#   mend: What to write in place of it.
deny contains {"msg": message, "address": resource.address} if {
	some resource in made
	name := resource.change.after.tags.Name
	startswith(name, "test-")
	message := sprintf("%%s is called %%s: a name that begins with test- is for trying things out.", [resource.address, name])
}

# What this plan makes or changes; what it destroys has no values afterwards.
made contains resource if {
	some resource in input.resource_changes
	resource.mode == "managed"
	resource.type == %[3]q
	resource.change.after != null
}
`, r.id, r.title, r.resource, r.severity, r.level)
}

func (r newRule) test() string {
	return fmt.Sprintf(`package %[1]s_test

import data.%[1]s as rule

# plan is what Terraform would say of one resource with this name.
plan(name) := {"resource_changes": [{
	"address": "%[2]s.x", "mode": "managed", "type": %[2]q, "name": "x",
	"change": {"actions": ["create"], "before": null, "after": {"tags": {"Name": name}}},
}]}

test_name_for_trying_is_denied if {
	some finding in rule.deny with input as plan("test-orders")
	finding.address == "%[2]s.x"
	contains(finding.msg, "test-orders")
}

test_other_name_is_not if {
	count(rule.deny) == 0 with input as plan("orders")
}

test_what_is_destroyed_is_not_looked_at if {
	gone := {"resource_changes": [{
		"address": "%[2]s.x", "mode": "managed", "type": %[2]q, "name": "x",
		"change": {"actions": ["delete"], "before": {"tags": {"Name": "test-orders"}}, "after": null},
	}]}
	count(rule.deny) == 0 with input as gone
}
`, r.id, r.resource)
}
