package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/tidelock/tidelock/internal/actuals"
)

// billingBlock is the type of the blocks that say whose charges are whose.
const billingBlock = "billing"

const billingDoc = "What a client's charges are known by in the billing exports that `tidelock cost import` reads, in a block for each client: `billing \"CLIENT\"`. " +
	"Who alone has an account has all of its charges; in one that several clients have, or none, tags decide. A charge that nobody's block is about, or several are, is reported as such and is nobody's. " +
	"The blocks hold for what was imported before too. They stand in the file only, and have no variables. [Cost](cost.md#actuals) has an example."

// billingAttributes are what a block may hold, for the reference.
var billingAttributes = []struct{ name, takes, doc string }{
	{"accounts", "list of strings", "The client's sub accounts, as the export has them in `SubAccountId`: AWS account IDs, Azure subscriptions, Google projects. A `BillingAccountId` gives all sub accounts that no block has."},
	{"tags", "map of strings", "The tags that a charge has, all of them, in an account that several blocks have or none."},
	{"project_tag", "name", "The tag whose value is the name of a charge's project, or its directory. Otherwise it is `" + actuals.DefaultProjectTag + "`."},
}

type hclBilling struct {
	Accounts   []string          `hcl:"accounts,optional"`
	Tags       map[string]string `hcl:"tags,optional"`
	ProjectTag string            `hcl:"project_tag,optional"`
	Attrs      hcl.Attributes    `hcl:",remain"`
}

// readBilling reads the blocks.
func (l *Reading) readBilling(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != billingBlock {
			continue
		}
		client, where := b.Labels[0], place(b.DefRange)
		say := func(format string, args ...any) {
			l.problem(billingBlock, where, "the block billing %q "+format, append([]any{client}, args...)...)
		}
		var raw hclBilling
		if diags := gohcl.DecodeBody(b.Body, nil, &raw); diags.HasErrors() {
			l.diagnostics(billingBlock, diags)
			continue
		}
		for _, a := range raw.Attrs {
			l.problem(billingBlock, place(a.NameRange), "%s is not known in a block billing. There are accounts, tags and project_tag.", a.Name)
		}
		if slices.ContainsFunc(l.Config.Billing, func(r actuals.Rule) bool { return r.Client == client }) {
			say("stands here twice. Make one of them.")
			continue
		}
		switch {
		case client == "":
			say("names no client.")
		case len(raw.Accounts)+len(raw.Tags) == 0:
			say("has neither accounts nor tags, so no charge is the client's.")
		case slices.ContainsFunc(raw.Accounts, func(a string) bool { return actuals.AccountKey(a) == "" }):
			say("has an account without an ID.")
		}
		for _, k := range slices.Sorted(maps.Keys(raw.Tags)) {
			if k == "" || raw.Tags[k] == "" {
				say("has the tag %q = %q. Both need a text, or every charge without the tag would be the client's.", k, raw.Tags[k])
			}
		}
		l.Config.Billing = append(l.Config.Billing, actuals.Rule{Client: client, Accounts: raw.Accounts, Tags: raw.Tags, ProjectTag: raw.ProjectTag})
		l.origins[billingBlock+"."+client] = origin{rank: rankFile, where: where}
	}
	l.checkBilling()
}

// checkBilling warns of accounts that several clients have and tags do not part.
func (l *Reading) checkBilling() {
	for i, r := range l.Config.Billing {
		if len(r.Tags) > 0 {
			continue
		}
		for _, other := range append(slices.Clone(l.Config.Billing[:i]), l.Config.Billing[i+1:]...) {
			for _, a := range r.Accounts {
				if slices.ContainsFunc(other.Accounts, func(b string) bool { return actuals.AccountKey(a) == actuals.AccountKey(b) }) {
					l.warn(billingBlock, l.origins[billingBlock+"."+r.Client].where, "the account %q of the block billing %q is %q's too, and without tags none of its charges is known to be %q's. Give the block the tags of its charges.", a, r.Client, other.Client, r.Client)
				}
			}
		}
	}
}

// billingHCL returns a block as a file could hold it.
func billingHCL(r actuals.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", billingBlock, r.Client)
	if len(r.Accounts) > 0 {
		quoted := make([]string, len(r.Accounts))
		for i, a := range r.Accounts {
			quoted[i] = fmt.Sprintf("%q", a)
		}
		fmt.Fprintf(&b, "  accounts    = [%s]\n", strings.Join(quoted, ", "))
	}
	if len(r.Tags) > 0 {
		fmt.Fprintf(&b, "  tags        = %s\n", showValue(&r.Tags))
	}
	if r.ProjectTag != "" {
		fmt.Fprintf(&b, "  project_tag = %q\n", r.ProjectTag)
	}
	return b.String() + "}\n"
}

// writeBilling prints the blocks as a file could hold them.
func (l *Reading) writeBilling(b *strings.Builder) {
	for _, r := range l.Config.Billing {
		fmt.Fprintf(b, "\n# from %s\n%s", l.origins[billingBlock+"."+r.Client].where, billingHCL(r))
	}
}

// billingJSON adds the blocks to what is shown as JSON.
func (l *Reading) billingJSON(all map[string]Shown) {
	for _, r := range l.Config.Billing {
		path := billingBlock + "." + r.Client
		all[path] = Shown{Value: billingHCL(r), Source: l.origins[path].where}
	}
}

// billingReference is the section of docs/configuration.md.
func billingReference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n| attribute | takes | what it means |\n|---|---|---|\n", billingBlock, billingDoc)
	for _, a := range billingAttributes {
		fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.name, a.takes, a.doc)
	}
	return b.String()
}
