package actuals

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// Resource is one of a cloud's resources as a project's state has it.
type Resource struct {
	Address string
	Type    string
	Region  string
	Keys    []string // what a bill may call it, sorted
}

// short are the IDs that AWS gives out and never again: i-0abc…, vol-…, nat-….
var short = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z]+)*-[0-9a-f]{8}([0-9a-f]{9})?$`)

// apis begin Google's links to resources; what follows names them.
var apis = regexp.MustCompile(`^(?:https:)?//[a-z0-9.-]*googleapis\.com/(?:[a-z]+/(?:v[0-9][a-z0-9]*|beta|alpha)/)?`)

// idKeys returns under which keys a cloud's ID is looked up, none where it is
// no ID that means one resource in the world: the bare name of a table or a
// function is many people's.
func idKeys(id string) []string {
	id = strings.TrimSpace(id)
	if len(id) > 1024 {
		return nil
	}
	low := strings.ToLower(id)
	switch {
	case strings.HasPrefix(low, "arn:"):
		part := strings.SplitN(low, ":", 6)
		if len(part) < 6 || part[5] == "" {
			return nil
		}
		low = strings.TrimSuffix(low, ":*") // a log group's ARN has it, or not
		keys := []string{"id:" + low}
		if part[2] == "s3" && !strings.ContainsAny(part[5], "/*") {
			return append(keys, "bucket:"+part[5])
		}
		if tail := low[strings.LastIndexAny(low, "/:")+1:]; short.MatchString(tail) {
			keys = append(keys, "id:"+tail)
		}
		return keys
	case strings.HasPrefix(low, "/subscriptions/"):
		return []string{"id:" + strings.TrimRight(low, "/")}
	case strings.HasPrefix(low, "ocid1."):
		return []string{"id:" + low}
	case apis.MatchString(low):
		low = apis.ReplaceAllString(low, "")
		if !strings.HasPrefix(low, "projects/") {
			return nil
		}
		return []string{"id:" + low}
	case strings.HasPrefix(low, "projects/") && strings.Count(low, "/") >= 3:
		return []string{"id:" + low}
	case short.MatchString(low):
		return []string{"id:" + low}
	}
	return nil
}

// nameKey is under which a tag Name is looked up.
func nameKey(name string) string { return "name:" + name }

// Resources returns what a plan's prior state tells of the resources that are
// there: nothing that is only planned, and no value that is sensitive.
func Resources(p *tfplan.Plan) []Resource {
	secret := map[string]bool{}
	for _, v := range p.SensitiveValues() {
		secret[v] = true
	}
	var all []Resource
	for _, c := range p.Changes {
		if c.Mode != "managed" || c.Deposed != "" || c.Before == nil {
			continue
		}
		text := func(name string) string {
			s, _ := c.Before[name].(string)
			if secret[s] || tfplan.MaskCovers(tfplan.MaskMember(c.BeforeSensitive, name)) {
				return ""
			}
			return s
		}
		r := Resource{Address: c.Address, Type: c.Type}
		for _, name := range [...]string{"arn", "id", "self_link", "resource_id", "vpc_endpoint_id"} {
			r.Keys = append(r.Keys, idKeys(text(name))...)
		}
		if c.Type == "aws_s3_bucket" {
			if id := text("id"); id != "" {
				r.Keys = append(r.Keys, "bucket:"+strings.ToLower(id))
			}
		}
		// Google bills by numbers, which stand beside the name in the state.
		if link, number := text("self_link"), text("instance_id"); number != "" {
			for _, k := range idKeys(link) {
				r.Keys = append(r.Keys, k[:strings.LastIndexByte(k, '/')+1]+number)
			}
		}
		for _, tags := range [...]string{"tags_all", "tags", "effective_labels", "labels"} {
			m, _ := c.Before[tags].(map[string]any)
			mask := c.BeforeSensitive
			if tfplan.MaskCovers(tfplan.MaskMember(mask, tags)) {
				continue
			}
			if name, _ := m["Name"].(string); name != "" && !secret[name] && len(name) <= 256 {
				r.Keys = append(r.Keys, nameKey(name))
				break
			}
		}
		if r.Region = text("region"); r.Region == "" {
			r.Region = text("location")
		}
		if r.Region == "" {
			if part := strings.SplitN(text("arn"), ":", 6); len(part) == 6 {
				r.Region = part[3]
			}
		}
		slices.Sort(r.Keys)
		if r.Keys = slices.Compact(r.Keys); len(r.Keys) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// digestOf tells two sets of resources apart.
func digestOf(all []Resource) string {
	sum := sha256.New()
	for _, r := range all {
		for _, s := range append([]string{r.Address, r.Type, r.Region}, r.Keys...) {
			sum.Write([]byte(s)) // never fails
			sum.Write([]byte{sep})
		}
		sum.Write([]byte{'\n'})
	}
	return hex.EncodeToString(sum.Sum(nil))
}
