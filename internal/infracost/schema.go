package infracost

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Version is the version of the format that is read and written.
const Version = "0.2"

// Amount is a decimal as the format has it: text in quotes. Pointers to it are
// nil where the file says null or nothing, which is "not known", never zero.
type Amount struct{ decimal.Decimal }

// Bounds of an amount. They keep a hostile file from numbers whose digits fill
// the memory.
const (
	maxDigits   = 100
	maxExponent = 60
)

// badAmount is text that is no amount.
type badAmount struct{ raw string }

func (e badAmount) Error() string {
	return fmt.Sprintf("%.60s is no amount: amounts are decimals in quotes, such as \"12.50\", or null", e.raw)
}

// UnmarshalJSON reads "12.5" and 12.5.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if unquoted, ok := strings.CutPrefix(text, `"`); ok {
		text = strings.TrimSuffix(unquoted, `"`)
	}
	d, err := decimal.NewFromString(text)
	if err != nil || len(text) > maxDigits || d.Exponent() > maxExponent || d.Exponent() < -maxExponent {
		return badAmount{string(raw)}
	}
	a.Decimal = d
	return nil
}

// MarshalJSON writes "12.5".
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(`"` + a.String() + `"`), nil }

func amount(d decimal.Decimal) *Amount { return &Amount{d} }

func amountOf(d *decimal.Decimal) *Amount {
	if d == nil {
		return nil
	}
	return &Amount{*d}
}

// Root is a whole file.
type Root struct {
	Version                   string    `json:"version"`
	Metadata                  Metadata  `json:"metadata"`
	RunID                     string    `json:"runId,omitempty"`
	ShareURL                  string    `json:"shareUrl,omitempty"`
	CloudURL                  string    `json:"cloudUrl,omitempty"`
	Currency                  string    `json:"currency"`
	Projects                  []Project `json:"projects"`
	TotalHourlyCost           *Amount   `json:"totalHourlyCost"`
	TotalMonthlyCost          *Amount   `json:"totalMonthlyCost"`
	TotalMonthlyUsageCost     *Amount   `json:"totalMonthlyUsageCost,omitempty"`
	PastTotalHourlyCost       *Amount   `json:"pastTotalHourlyCost"`
	PastTotalMonthlyCost      *Amount   `json:"pastTotalMonthlyCost"`
	PastTotalMonthlyUsageCost *Amount   `json:"pastTotalMonthlyUsageCost,omitempty"`
	DiffTotalHourlyCost       *Amount   `json:"diffTotalHourlyCost"`
	DiffTotalMonthlyCost      *Amount   `json:"diffTotalMonthlyCost"`
	DiffTotalMonthlyUsageCost *Amount   `json:"diffTotalMonthlyUsageCost,omitempty"`
	TimeGenerated             time.Time `json:"timeGenerated"`
	Summary                   *Summary  `json:"summary"`
}

// Metadata says where a file comes from. All but the command is of the
// repository.
type Metadata struct {
	Command              string    `json:"infracostCommand"`
	Branch               string    `json:"vcsBranch"`
	BaseCommit           string    `json:"vcsBaseCommitSha,omitempty"`
	Commit               string    `json:"vcsCommitSha"`
	AuthorName           string    `json:"vcsCommitAuthorName"`
	AuthorEmail          string    `json:"vcsCommitAuthorEmail"`
	CommitTime           time.Time `json:"vcsCommitTimestamp"`
	CommitMessage        string    `json:"vcsCommitMessage"`
	RepositoryURL        string    `json:"vcsRepositoryUrl,omitempty"`
	Provider             string    `json:"vcsProvider,omitempty"`
	BaseBranch           string    `json:"vcsBaseBranch,omitempty"`
	PullTitle            string    `json:"vcsPullRequestTitle,omitempty"`
	PullURL              string    `json:"vcsPullRequestUrl,omitempty"`
	PullAuthor           string    `json:"vcsPullRequestAuthor,omitempty"`
	PullLabels           []string  `json:"vcsPullRequestLabels,omitempty"`
	PipelineID           string    `json:"vcsPipelineRunId,omitempty"`
	PullID               string    `json:"vcsPullRequestId,omitempty"`
	UsageAPI             bool      `json:"usageApiEnabled,omitempty"`
	UsageFile            string    `json:"usageFilePath,omitempty"`
	ConfigFile           string    `json:"configFilePath,omitempty"`
	ConfigFileNamesUsage bool      `json:"configFileHasUsageFile,omitempty"`
}

// Project is one plan.
type Project struct {
	Name          string           `json:"name"`
	DisplayName   string           `json:"displayName"`
	Metadata      *ProjectMetadata `json:"metadata"`
	PastBreakdown *Breakdown       `json:"pastBreakdown"`
	Breakdown     *Breakdown       `json:"breakdown"`
	Diff          *Breakdown       `json:"diff"`
	Summary       *Summary         `json:"summary"`

	older *Summary // of the file that Compare took the past from
}

// Label is what people call the project.
func (p Project) Label() string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.Name
}

// ProjectMetadata says what a project was made of.
type ProjectMetadata struct {
	Path              string          `json:"path"`
	Type              string          `json:"type"` // terraform_plan_json, terraform_dir, …
	ConfigSHA         string          `json:"configSha,omitempty"`
	PolicySHA         string          `json:"policySha,omitempty"`
	PastPolicySHA     string          `json:"pastPolicySha,omitempty"`
	ModulePath        string          `json:"terraformModulePath,omitempty"`
	Workspace         string          `json:"terraformWorkspace,omitempty"`
	SubPath           string          `json:"vcsSubPath,omitempty"`
	CodeChanged       *bool           `json:"vcsCodeChanged,omitempty"`
	Errors            []Diagnosis     `json:"errors,omitempty"`
	CurrentErrors     []Diagnosis     `json:"currentErrors,omitempty"`
	PastErrors        []Diagnosis     `json:"pastErrors,omitempty"`
	Warnings          []Diagnosis     `json:"warnings,omitempty"`
	Policies          json.RawMessage `json:"policies,omitempty"`
	Providers         json.RawMessage `json:"providers,omitempty"`
	RemoteModuleCalls []string        `json:"remoteModuleCalls,omitempty"`
}

// Diagnosis is what Infracost has to say of a project.
type Diagnosis struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
	IsError bool            `json:"isError"`
}

// Breakdown is what resources cost: as they are, as they were, or the
// difference.
type Breakdown struct {
	Resources             []Resource `json:"resources"`
	FreeResources         []Resource `json:"freeResources,omitempty"`
	TotalHourlyCost       *Amount    `json:"totalHourlyCost"`
	TotalMonthlyCost      *Amount    `json:"totalMonthlyCost"`
	TotalMonthlyUsageCost *Amount    `json:"totalMonthlyUsageCost"`
}

// Resource is one resource, or a part of one.
type Resource struct {
	Name                        string                     `json:"name"` // its address, of a part its name
	Type                        string                     `json:"resourceType,omitempty"`
	Tags                        json.RawMessage            `json:"tags,omitempty"`
	DefaultTags                 json.RawMessage            `json:"defaultTags,omitempty"`
	TagPropagation              json.RawMessage            `json:"tagPropagation,omitempty"`
	ProviderSupportsDefaultTags bool                       `json:"providerSupportsDefaultTags,omitempty"`
	ProviderLink                string                     `json:"providerLink,omitempty"`
	Metadata                    map[string]json.RawMessage `json:"metadata"`
	HourlyCost                  *Amount                    `json:"hourlyCost,omitempty"`
	MonthlyCost                 *Amount                    `json:"monthlyCost,omitempty"`
	MonthlyUsageCost            *Amount                    `json:"monthlyUsageCost,omitempty"`
	Components                  []Component                `json:"costComponents,omitempty"`
	ActualCosts                 json.RawMessage            `json:"actualCosts,omitempty"`
	Parts                       []Resource                 `json:"subresources,omitempty"`
	MissingTagVars              []string                   `json:"missingVarsCausingUnknownTagKeys,omitempty"`
	MissingDefaultTagVars       []string                   `json:"missingVarsCausingUnknownDefaultTagKeys,omitempty"`
}

// Component is one line of a resource's bill.
type Component struct {
	Name            string  `json:"name"`
	Unit            string  `json:"unit"`
	HourlyQuantity  *Amount `json:"hourlyQuantity"`
	MonthlyQuantity *Amount `json:"monthlyQuantity"`
	Price           *Amount `json:"price"`
	HourlyCost      *Amount `json:"hourlyCost"`
	MonthlyCost     *Amount `json:"monthlyCost"`
	UsageBased      bool    `json:"usageBased,omitempty"`
	PriceNotFound   bool    `json:"priceNotFound"`
}

// Summary counts resources. Supported ones are those of the breakdown.
type Summary struct {
	Total             *int           `json:"totalResources,omitempty"`
	Detected          *int           `json:"totalDetectedResources,omitempty"`
	Supported         *int           `json:"totalSupportedResources,omitempty"`
	Unsupported       *int           `json:"totalUnsupportedResources,omitempty"`
	UsageBased        *int           `json:"totalUsageBasedResources,omitempty"`
	NoPrice           *int           `json:"totalNoPriceResources,omitempty"`
	SupportedCounts   map[string]int `json:"supportedResourceCounts,omitzero"`
	UnsupportedCounts map[string]int `json:"unsupportedResourceCounts,omitzero"`
	NoPriceCounts     map[string]int `json:"noPriceResourceCounts,omitzero"`
}
