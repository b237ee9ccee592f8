package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
)

// What is read of a log. Everything else in it is skipped.
type wireLog struct {
	Version string                    `json:"version"`
	Runs    *list[wireRun, atMost100] `json:"runs"`
}

type wireRun struct {
	Tool struct {
		Driver     wireComponent                  `json:"driver"`
		Extensions list[wireComponent, atMost100] `json:"extensions"`
	} `json:"tool"`
	BaseIDs     map[string]wireArtifact              `json:"originalUriBaseIds"`
	Artifacts   list[wireArtifactEntry, atMost20000] `json:"artifacts"`
	Invocations list[wireInvocation, atMost100]      `json:"invocations"`
	Results     *list[wireResult, atMost20000]       `json:"results"`
}

type wireComponent struct {
	Name    string                      `json:"name"`
	Strings map[string]wireText         `json:"globalMessageStrings"`
	Rules   list[wireRule, atMost20000] `json:"rules"`

	byID map[string]int
}

// number notes where the rules are, the first of each id.
func (c *wireComponent) number() {
	c.byID = map[string]int{}
	for i, r := range c.Rules {
		if _, ok := c.byID[r.ID]; !ok {
			c.byID[r.ID] = i
		}
	}
}

type wireRule struct {
	ID      string              `json:"id"`
	Name    string              `json:"name"`
	Short   wireText            `json:"shortDescription"`
	HelpURI string              `json:"helpUri"`
	Strings map[string]wireText `json:"messageStrings"`
	Default struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
	Properties wireProperties `json:"properties"`
}

// wireProperties is a property bag: what is of another type in it is nobody's
// fault.
type wireProperties struct {
	SecuritySeverity string
}

func (p *wireProperties) UnmarshalJSON(b []byte) error {
	var bag struct {
		Severity json.RawMessage `json:"security-severity"`
	}
	if json.Unmarshal(b, &bag) == nil {
		p.SecuritySeverity = string(bytes.Trim(bag.Severity, `"`)) // some write a number
	}
	return nil
}

type wireText struct {
	Text string `json:"text"`
}

type wireMessage struct {
	Text      string                  `json:"text"`
	ID        string                  `json:"id"`
	Arguments list[string, atMost100] `json:"arguments"`
}

type wireArtifact struct {
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId"`
	Index  *int   `json:"index"`
}

type wireArtifactEntry struct {
	Location wireArtifact `json:"location"`
}

type wireInvocation struct {
	Successful    *bool                               `json:"executionSuccessful"`
	ExitCode      *int                                `json:"exitCode"`
	Notifications list[wireNotification, atMost20000] `json:"toolExecutionNotifications"`
}

type wireNotification struct {
	Level   string      `json:"level"`
	Message wireMessage `json:"message"`
}

type wireResult struct {
	RuleID    string `json:"ruleId"`
	RuleIndex *int   `json:"ruleIndex"`
	Rule      struct {
		ID        string `json:"id"`
		Index     *int   `json:"index"`
		Component struct {
			Index *int `json:"index"`
		} `json:"toolComponent"`
	} `json:"rule"`
	Kind         string                           `json:"kind"`
	Level        string                           `json:"level"`
	Baseline     string                           `json:"baselineState"`
	Message      wireMessage                      `json:"message"`
	Locations    first[wireLocation]              `json:"locations"`
	Suppressions list[wireSuppression, atMost100] `json:"suppressions"`
	Properties   wireProperties                   `json:"properties"`
}

type wireLocation struct {
	Physical struct {
		Artifact wireArtifact `json:"artifactLocation"`
		Region   struct {
			Start int `json:"startLine"`
			End   int `json:"endLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
	Logical first[wireLogical] `json:"logicalLocations"`
}

type wireLogical struct {
	Name string `json:"fullyQualifiedName"`
}

type wireSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

// list is a list of so many elements at most. Elements beyond that are an error
// before there is room made for them: three bytes of a file can be an element of
// hundreds.
type list[T any, B bound] []T

type bound interface{ most() int }

type (
	atMost100   struct{}
	atMost20000 struct{}
)

func (atMost100) most() int   { return 100 }
func (atMost20000) most() int { return maxResults }

var errTooMany = errors.New("a list in it is too long")

// UnmarshalJSON reads the list.
func (l *list[T, B]) UnmarshalJSON(b []byte) error {
	var limit B
	*l = list[T, B]{}
	return elements(b, func(d *json.Decoder) (bool, error) {
		if len(*l) >= limit.most() {
			return false, errTooMany
		}
		var v T
		err := d.Decode(&v)
		*l = append(*l, v)
		return true, err
	})
}

// first is the first element of a list, nil of an empty one.
type first[T any] struct{ of *T }

// UnmarshalJSON reads the element.
func (f *first[T]) UnmarshalJSON(b []byte) error {
	return elements(b, func(d *json.Decoder) (bool, error) {
		f.of = new(T)
		return false, d.Decode(f.of)
	})
}

// elements calls next for each element of a list, until that says that it has
// had enough. null is an empty list.
func elements(b []byte, next func(*json.Decoder) (more bool, err error)) error {
	d := json.NewDecoder(bytes.NewReader(b))
	open, err := d.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('[') {
		return errors.New("there is no list where one belongs")
	}
	for d.More() {
		if more, err := next(d); err != nil || !more {
			return err
		}
	}
	return nil
}

// checkDepth refuses what is nested deeper than any scanner writes.
func checkDepth(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > maxDepth {
				return errors.New("it is nested too deeply")
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return nil
}
