package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/github"
)

// verbSpec is what there is to know of a command's form. The parser, the help,
// the guide (docs/commands.md) and what its tests check are made from it.
type verbSpec struct {
	Verb Verb
	// Role is the least that whoever gives the command must have in the
	// repository. Reading is open to the world on a public one, so RoleRead
	// allows nothing that runs code.
	Role github.Role
	// Flags are those that it takes, by their letter in flagSpecs.
	Flags string
	// Options are Terraform's flags that it takes after "--".
	Options []string
	// Args is what stands after the verb of a state operation.
	Args string
	// Naming is set where -d, -w or -p must stand: what it does to everything
	// should not be what it does by default.
	Naming bool
	// Alone is set where the bare form counts only in a comment that holds
	// nothing but commands: an everyday word, or one that hurts when it was
	// meant as a word.
	Alone bool
	// Also is what somebody must be beside having the role, for the guide.
	Also     string
	About    string // for the help: short, no full stop
	Guide    string // for the guide: a sentence or two more
	Examples []example
}

// example is a command as it is typed, and what it means.
type example struct{ Line, Means string }

// flagSpecs are the flags before "--".
var flagSpecs = []struct {
	letter      byte
	flag, value string   // as help shows them
	names       []string // as they are typed, without dashes
	about       string
}{
	{'d', "-d", "DIR", []string{"d", "dir"}, "the projects in a directory; patterns such as `live/*` and `live/**` too"},
	{'w', "-w", "WORKSPACE", []string{"w", "workspace"}, "the projects of a workspace, or of all that match a pattern such as `prod-*`"},
	{'p', "-p", "PROJECT", []string{"p", "project"}, "a project by its name, or all that match a pattern such as `net*`"},
	{'h', "--head", "SHA", []string{"head"}, "for `plan` alone: the head commit that you have read, 7 digits or more. The plan is refused if the head is another by now. It lets a pull request from a fork be planned, at that head"},
	{'r', "--rule", "ID", []string{"rule"}, "for `approve-policies` and `revoke-policies` alone: what this rule found, or all rules that match a pattern such as `security.aws.*`. May be repeated"},
	{'f', "--for", "TIME", []string{"for"}, "for `approve-policies` alone: how long, in days, weeks or hours: `30d`, `2w`, `12h`"},
	{'m', "--reason", "TEXT", []string{"reason"}, "for `approve-policies` and `revoke-policies` alone: why, in quotes"},
}

// optionSpecs are Terraform's flags that may stand after "--" of some command.
var optionSpecs = []struct{ flag, value, about string }{
	{"-target", "ADDR", "only this resource or module, and what it depends on"},
	{"-replace", "ADDR", "destroy this resource and create it anew"},
	{"-var", "NAME=VALUE", "a variable's value"},
	{"-refresh", "false", "believe the state; don't ask the providers what is there"},
	{"-parallelism", "N", "how many objects at a time"},
}

// elsewhere says where to look for what is no flag here.
var elsewhere = map[string]string{
	"-destroy":      "The command `destroy` plans that.",
	"-refresh-only": "The command `drift` does that.",
	"-var-file":     "A project's variable files are listed in `tidelock.hcl`.",
	"-auto-approve": "An apply needs no further word.",
	"-out":          "Every plan is kept.",
	"-lock":         "The state is always locked.",
	"-upgrade":      "Commit the lock file that `terraform init -upgrade` writes.",
}

var verbs = []verbSpec{
	{
		Verb: Plan, Role: github.RoleTriage, Flags: "dwph", Options: []string{"-target", "-replace", "-var", "-refresh", "-parallelism"},
		About: "plan again: every project this pull request touches, or those that you name",
		Guide: "Projects that you name are planned whether the pull request touches them or not. Terraform's flags that make another plan are kept with it and shown beside it: what is applied is then that plan and no other.",
		Examples: []example{
			{"plan", "everything that the pull request touches"},
			{"plan -d live/network -w prod", "one directory, one workspace"},
			{"plan -d 'live/*' -d shared", "several directories"},
			{"plan -p network -- -target=module.vpc -var=size=3", "a part of a project, with a variable"},
			{`plan -p network -- -replace='aws_instance.web["a"]' -refresh=false`, "replace one resource, without a refresh"},
			{"plan --head 4f2a9c1", "a fork's pull request, at the head that you have read"},
		},
	},
	{
		Verb: Apply, Role: github.RoleWrite, Flags: "dwp", Options: []string{"-parallelism"},
		About: "apply the plans that were shown, exactly as they were shown",
		Examples: []example{
			{"apply", "every plan of the pull request"},
			{"apply -p network", "one project's"},
			{"apply -- -parallelism=2", "two objects at a time"},
		},
	},
	{
		Verb: Destroy, Role: github.RoleWrite, Flags: "dwp", Options: []string{"-target", "-var", "-refresh", "-parallelism"}, Naming: true, Alone: true,
		About: "plan the end of everything in the projects that you name; `apply` then does it",
		Guide: "Nothing is destroyed by the command itself: it makes a plan, which is shown, judged by the policies and applied as any other.",
		Examples: []example{
			{"destroy -p preview-42", "one project"},
			{"destroy -d live/old -w staging", "one directory in one workspace"},
			{"destroy -p network -- -target=aws_instance.bastion", "one resource of a project"},
		},
	},
	{
		Verb: Cancel, Role: github.RoleWrite, Flags: "dwp",
		About: "stop what is queued or running, gently at first",
		Guide: "Terraform is interrupted and given time to write its state before it is killed. What an apply had done by then stays done: plan to see what is left.",
		Examples: []example{
			{"cancel", "everything of this pull request"},
			{"cancel -p network", "one project's runs"},
		},
	},
	{
		Verb: Retry, Role: github.RoleWrite, Flags: "dwp", Alone: true,
		About: "go on with applies that failed or were interrupted",
		Guide: "The gates of an apply are asked again, and nothing is applied but what was reviewed. Look at the log first: part of it may be done.",
		Examples: []example{
			{"retry", "every apply that did not end well"},
			{"retry -p network", "one project"},
		},
	},
	{
		Verb: Rollback, Role: github.RoleWrite, Alone: true,
		About: "open the pull request that reverts this one",
		Guide: "For a merged pull request whose apply did not end well. The new pull request is planned and reviewed as any other: nothing is changed by the command itself.",
		Examples: []example{
			{"rollback", "revert the merge, as a pull request"},
		},
	},
	{
		Verb: Unlock, Role: github.RoleWrite, Flags: "dwp",
		About: "give up this pull request's locks, so that others can go on",
		Also:  "and be the pull request's author or the one who caused the lock; maintain for anybody's",
		Guide: "A lock is not given up while a run needs it.",
		Examples: []example{
			{"unlock", "all locks of the pull request"},
			{"unlock -d 'live/**'", "those on some directories"},
		},
	},
	{
		Verb: ApprovePolicies, Role: github.RoleRead, Flags: "dwprfm", // who owns the policies is asked for itself
		About: "accept what policies found, where you may",
		Also:  "and be one of the policies' owners, whom the server names; never the pull request's author",
		Guide: "The word holds for the plan that was shown: another plan is judged anew. With `--for` it holds for the findings themselves, wherever they come back in the same project, until the time is over; that needs a `--reason`. [Accepting a finding](policies-waivers.md) says who may and what counts.",
		Examples: []example{
			{"approve-policies", "every plan of the pull request"},
			{"approve-policies -p network", "one project's"},
			{"approve-policies --rule security.aws.public_ingress", "what one rule found"},
			{`approve-policies -p network --for 30d --reason "until the VPN is there"`, "for a month, also in later pull requests"},
		},
	},
	{
		Verb: RevokePolicies, Role: github.RoleRead, Flags: "dwprm",
		About: "take back what was accepted of the policies' findings",
		Also:  "and be one of the policies' owners, or who accepted it",
		Guide: "Words for these plans are taken back, and those that last in their projects. Nothing that was applied is undone; an apply that has not begun is held.",
		Examples: []example{
			{"revoke-policies", "everything in the projects of the pull request"},
			{"revoke-policies -p network --rule security.aws.public_ingress", "one rule's in one project"},
		},
	},
	{
		Verb: ApproveCost, Role: github.RoleRead, // who owns the budgets is asked for itself
		About: "approve that the change goes over a budget, where you may",
		Also:  "and be one of the budget's owners, whom the server names; never the pull request's author",
		Guide: "The word is for every budget of yours that the change would exceed, and for what the change costs now: a later plan that costs no more is covered, one that costs more asks again. Where something has no price, it is for exactly the plans that are shown. [Budgets](budgets.md) has the rest.",
		Examples: []example{
			{"approve-cost", "what the plans that are shown cost"},
		},
	},
	{
		Verb: RevokeCost, Role: github.RoleRead, // everybody takes back their own word alone
		About: "take back that you approved what the change costs",
		Also:  "and have said `approve-cost`",
		Guide: "Your own words about the pull request are taken back, for all budgets. Nothing that was applied is undone; an apply that has not begun is held.",
		Examples: []example{
			{"revoke-cost", "what you approved in the pull request"},
		},
	},
	{
		Verb: Import, Role: github.RoleWrite, Flags: "dwp", Args: "ADDR ID", Alone: true,
		About: "take an object that exists into a project's state",
		Guide: "Name one project with `-p` or `-d`; it may be left out where the pull request has only one. The gates of an apply hold for it.",
		Examples: []example{
			{"import -p network aws_s3_bucket.logs my-bucket", "a bucket"},
			{`import -p network 'aws_instance.web["a"]' i-0123456789abcdef0`, "an instance of a resource with for_each"},
		},
	},
	{
		Verb: StateRemove, Role: github.RoleMaintain, Flags: "dwp", Args: "ADDR...", Alone: true,
		About: "take resources out of a project's state; the objects stay",
		Guide: "As with `import`, one project is named, and the gates of an apply hold.",
		Examples: []example{
			{"state rm -p network aws_s3_bucket.logs", "one resource"},
			{`state rm -d live/network 'aws_instance.web["a"]' module.old`, "an instance and a module"},
		},
	},
	{
		Verb: StateMove, Role: github.RoleMaintain, Flags: "dwp", Args: "FROM TO", Alone: true,
		About: "rename a resource or module in a project's state",
		Guide: "As with `import`, one project is named, and the gates of an apply hold. A `moved` block in the code does the same and is reviewed with it.",
		Examples: []example{
			{"state mv -p network aws_s3_bucket.old aws_s3_bucket.logs", "one resource"},
		},
	},
	{
		Verb: Drift, Role: github.RoleTriage, Flags: "dwp", Options: []string{"-target", "-var", "-parallelism"}, Alone: true,
		About: "compare the state with what is really there",
		Guide: "Nothing of the pull request's code is planned, and nothing can be applied from it.",
		Examples: []example{
			{"drift", "every project that the pull request touches"},
			{"drift -p 'net*'", "those whose name begins so"},
		},
	},
	{
		Verb: Cost, Role: github.RoleRead, Alone: true,
		About:    "show what the plans cost, resource by resource",
		Examples: []example{{"cost", "every plan of the pull request"}},
	},
	{
		Verb: Version, Role: github.RoleRead, Alone: true,
		About:    "say which Tidelock and which Terraform this is",
		Examples: []example{{"version", "its answer is a reply"}},
	},
	{
		Verb: Help, Role: github.RoleRead,
		About:    "list the commands that can be used here",
		Examples: []example{{"help", "its answer is a reply"}},
	},
}

// specOf returns what there is to know of a command, nil for none of ours.
func specOf(v Verb) *verbSpec {
	for i := range verbs {
		if verbs[i].Verb == v {
			return &verbs[i]
		}
	}
	return nil
}

// Role returns the least role for the command. What is no command is nobody's.
func (v Verb) Role() github.Role {
	if s := specOf(v); s != nil {
		return s.Role
	}
	return github.RoleAdmin
}

// lookUp returns the command whose name the words begin with, nil for none,
// and the words after it.
func lookUp(words []string) (*verbSpec, []string) {
	if s := specOf(Verb(lower(words[0]))); s != nil {
		return s, words[1:]
	}
	if len(words) > 1 {
		if s := specOf(Verb(lower(words[0]) + " " + lower(words[1]))); s != nil {
			return s, words[2:]
		}
	}
	return nil, nil
}

// usage returns the command with its arguments and flags, as in
// "apply [-d DIR] [-w WORKSPACE] [-p PROJECT] [-- -parallelism=N]".
func (s *verbSpec) usage() string {
	parts := []string{string(s.Verb)}
	for _, f := range flagSpecs {
		if strings.IndexByte(s.Flags, f.letter) >= 0 {
			parts = append(parts, "["+f.flag+" "+f.value+"]")
		}
	}
	if s.Args != "" {
		parts = append(parts, s.Args)
	}
	if len(s.Options) == 1 {
		parts = append(parts, "[-- "+optionUsage(s.Options[0])+"]")
	} else if len(s.Options) > 1 {
		parts = append(parts, "[-- FLAG...]")
	}
	return strings.Join(parts, " ")
}

// optionUsage returns Terraform's flag with what it takes: "-parallelism=N".
func optionUsage(flag string) string {
	for _, o := range optionSpecs {
		if o.flag == flag {
			return o.flag + "=" + o.value
		}
	}
	return flag
}

// flagList says which flags the command takes, in a sentence.
func (s *verbSpec) flagList() string {
	var all []string
	for _, f := range flagSpecs {
		if strings.IndexByte(s.Flags, f.letter) >= 0 {
			all = append(all, "`"+f.flag+" "+f.value+"`")
		}
	}
	if len(all) == 0 {
		return fmt.Sprintf("`%s` takes no flags.", s.Verb)
	}
	return "There are " + and(all) + "."
}

// optionList says what the command takes after "--", in a sentence.
func (s *verbSpec) optionList() string {
	var all []string
	for _, o := range s.Options {
		all = append(all, "`"+optionUsage(o)+"`")
	}
	if len(all) == 0 {
		return fmt.Sprintf("`%s` takes nothing after `--`.", s.Verb)
	}
	return fmt.Sprintf("After `--`, `%s` takes %s.", s.Verb, and(all))
}

// and joins words as a sentence does.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// HelpText lists the commands. allowed holds the names of those that can be
// used here, nil for all of them; help itself always can. name is what the bot
// is called on GitHub.
func HelpText(name string, allowed []string) string {
	var b strings.Builder
	b.WriteString("Commands stand on a line of their own:\n\n| command | what it does |\n|---|---|\n")
	options := false
	for _, s := range verbs {
		if allowed != nil && s.Verb != Help && !slices.Contains(allowed, string(s.Verb)) {
			continue
		}
		options = options || len(s.Options) > 1
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimSpace(string(s.Verb)+" "+s.Args), s.About)
	}
	b.WriteString("\n`-d DIR`, `-w WORKSPACE` and `-p PROJECT` choose projects, by patterns too: `-d 'live/*'`. Without them, a command means every project of this pull request.")
	if options {
		b.WriteString(" Terraform's flags come after `--`: `-- -target=ADDR`.")
	}
	fmt.Fprintf(&b, " A command may also be written as `/plan`, `tidelock plan` or `@%s plan`.", name)
	return b.String()
}

// Names returns the commands by name: what a list of those that are
// obeyed may hold.
func Names() []string {
	var names []string
	for _, s := range verbs {
		names = append(names, string(s.Verb))
	}
	return names
}
