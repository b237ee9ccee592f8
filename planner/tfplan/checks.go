package tfplan

import "sort"

// CheckStatus is what came of a check.
type CheckStatus string

// What comes of a check: CheckUnknown can be told only once the plan has been
// applied, CheckError could not be evaluated at all.
const (
	CheckPass    CheckStatus = "pass"
	CheckFail    CheckStatus = "fail"
	CheckError   CheckStatus = "error"
	CheckUnknown CheckStatus = "unknown"
)

// Check is one thing that the code declares must hold, for one instance: a
// check block, the conditions of a resource or an output, the validation of a
// variable.
type Check struct {
	Kind    string // check | resource | output_value | var
	Address string // check.health, aws_instance.web[0], var.email
	Status  CheckStatus
	// Messages are the author's, for what fails. They come from the code and
	// the world: show them only as Plan.Text does. None where Terraform held
	// a message back, since it would have told a sensitive value.
	Messages []string
}

// Bad reports whether something is wrong: it fails, or came to something that
// nobody here knows.
func (c Check) Bad() bool { return c.Status != CheckPass && c.Status != CheckUnknown }

// what names the kind of the check for people.
func (c Check) what() string {
	switch c.Kind {
	case "resource", "output_value":
		return "a condition of " + c.Address
	case "var":
		return "the validation of " + c.Address
	}
	return c.Address
}

func checksOf(in []wireCheck) []Check {
	var out []Check
	for _, w := range in {
		if len(w.Instances) == 0 && w.Status != string(CheckPass) {
			// Nobody knows yet of what there will be instances, or whether.
			out = append(out, Check{Kind: w.Address.Kind, Address: w.Address.Display, Status: CheckStatus(w.Status)})
		}
		for _, i := range w.Instances {
			c := Check{Kind: w.Address.Kind, Address: i.Address.Display, Status: CheckStatus(i.Status)}
			for _, p := range i.Problems {
				c.Messages = append(c.Messages, p.Message)
			}
			out = append(out, c)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Kind != out[j].Kind {
			return out[i].Kind < out[j].Kind
		}
		return out[i].Address < out[j].Address
	})
	return out
}
