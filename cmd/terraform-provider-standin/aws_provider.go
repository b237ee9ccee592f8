package main

import (
	"slices"
	"strings"
)

var aws = family{
	name: "aws",
	config: fields{
		str("region"), str("profile"), str("access_key"), str("secret_key", sensitive), str("token", sensitive),
		strList("allowed_account_ids"), strList("shared_config_files"), strList("shared_credentials_files"),
		boolean("skip_credentials_validation"), boolean("skip_metadata_api_check"),
		boolean("skip_region_validation"), boolean("skip_requesting_account_id"),
		integer("max_retries"),
		block("default_tags", fields{strMap("tags")}),
		block("ignore_tags", fields{strSet("keys"), strSet("key_prefixes")}),
		blocks("assume_role", fields{
			str("role_arn"), str("session_name"), str("external_id"), str("duration"), str("policy"),
			strMap("tags"), strSet("policy_arns"),
		}),
		block("assume_role_with_web_identity", fields{
			str("role_arn"), str("session_name"), str("web_identity_token"), str("web_identity_token_file"),
		}),
	},
	vars:    map[string]string{"region": "", "account": "000000000000"},
	fromEnv: map[string][]string{"region": {"AWS_REGION", "AWS_DEFAULT_REGION"}},
	needs: map[string]string{
		"region": "Missing region: give the provider one (region = \"eu-west-1\"), or set AWS_REGION.",
	},
	tags:   "tags",
	merged: []string{"tags_all"},
	defaultTags: func(config map[string]any) map[string]string {
		list, _ := config["default_tags"].([]any)
		if len(list) == 0 {
			return nil
		}
		m, _ := list[0].(map[string]any)
		return stringMap(m["tags"])
	},
	resources: func() []resourceType { return slices.Concat(awsCompute(), awsNetwork(), awsData(), awsAccess()) },
	data:      awsDataSources,
}

// stringMap makes a map of what plain made of one, without its nulls.
func stringMap(v any) map[string]string {
	m, _ := v.(map[string]any)
	out := make(map[string]string, len(m))
	for k, e := range m {
		if s, ok := e.(string); ok {
			out[k] = s
		}
	}
	return out
}

// awsPlain is an AWS type without tags. arn lacks its "arn:aws:"; a type of a
// service that is the same in all regions has no region.
func awsPlain(name, id, arn string, of ...field) resourceType {
	all := fields{computed("id", "{id}")}
	if arn != "" {
		all = append(all, computed("arn", "arn:aws:"+arn))
	}
	if service, _,
		_ := strings.Cut(arn,
		":"); service != "iam" && service != "route53" && service != "cloudfront" && service != "budgets" {
		all = append(all, str("region", defaults("{region}"), replaces))
	}
	return resourceType{name: name, id: id, of: append(all, of...)}
}

// awsGlobal is an AWS type with neither a region nor an ARN nor tags.
func awsGlobal(name, id string, of ...field) resourceType {
	return resourceType{name: name, id: id, of: append(fields{computed("id", "{id}")}, of...)}
}

// awsTagged is an AWS type with tags.
func awsTagged(name, id, arn string, of ...field) resourceType {
	rt := awsPlain(name, id, arn, of...)
	rt.of = append(rt.of, strMap("tags"), strMap("tags_all", fills("")))
	return rt
}

func awsDataSources() []dataType {
	filter := blockSet("filter", fields{str("name", required), strSet("values", required)})
	region := str("region", defaults("{region}"))
	return []dataType{
		{name: "aws_ami", of: fields{
			computed("id", "ami-{asked}"), computed("image_id", "{id}"), region,
			boolean("most_recent"), strList("owners"), str("name_regex"), boolean("include_deprecated"), filter,
			computed("name", "standin-{asked}"), computed("architecture", "x86_64"), computed("platform_details", "Linux/UNIX"),
			computed("root_device_name", "/dev/xvda"), computed("root_device_type", "ebs"),
			computed("virtualization_type", "hvm"),
			computed("owner_id", "{account}"), computed("creation_date", "2026-01-01T00:00:00.000Z"),
			computed("arn", "arn:aws:ec2:{region}::image/{id}"),
		}},
		{name: "aws_caller_identity", of: fields{
			computed("id", "{account}"), computed("account_id", "{account}"),
			computed("arn", "arn:aws:iam::{account}:user/standin"), computed("user_id", "AIDASTANDIN"),
		}},
		{name: "aws_region", of: fields{
			computed("id", "{region}"), str("name", defaults("{region}")), region,
			computed("description", "{region}"), str("endpoint", defaults("ec2.{region}.amazonaws.com")),
		}},
		{name: "aws_partition", of: fields{computed("id", "aws"), computed("partition", "aws"),
			computed("dns_suffix", "amazonaws.com")}},
		{name: "aws_availability_zones", of: fields{
			computed("id", "{region}"), region, str("state"), boolean("all_availability_zones"),
			strSet("exclude_names"), filter,
			computedAs(strList("names"), "{region}a,{region}b,{region}c"),
			computedAs(strList("zone_ids"), "{region}-az1,{region}-az2,{region}-az3"),
		}},
		{name: "aws_vpc", of: fields{
			str("id", defaults("vpc-{asked}")), region, boolean("default", defaults("false")), filter,
			str("cidr_block", defaults("10.0.0.0/16")), strMap("tags", defaults("")),
			computed("arn", "arn:aws:ec2:{region}:{account}:vpc/{id}"),
		}},
		{name: "aws_subnets", of: fields{
			computed("id", "{region}"), region, filter, strMap("tags", defaults("")),
			computedAs(strList("ids"), "subnet-a{asked},subnet-b{asked},subnet-c{asked}"),
		}},
		{name: "aws_subnet", of: fields{
			str("id", defaults("subnet-{asked}")), region, filter, str("vpc_id", defaults("vpc-{asked}")),
			str("cidr_block", defaults("10.0.0.0/24")), str("availability_zone", defaults("{region}a")),
			strMap("tags", defaults("")),
			computed("arn", "arn:aws:ec2:{region}:{account}:subnet/{id}"),
		}},
		{name: "aws_route53_zone", of: fields{
			computed("id", "Z{asked}"), str("zone_id", defaults("Z{asked}")), str("name", defaults("example.com")),
			boolean("private_zone"), str("vpc_id", defaults("")), strMap("tags", defaults("")),
			computedAs(strList("name_servers"), "ns-1.example.net,ns-2.example.net"),
		}},
		{name: "aws_kms_key", of: fields{
			str("key_id", required), region, computed("id", "{key_id}"),
			computed("arn", "arn:aws:kms:{region}:{account}:key/{key_id}"),
		}},
		{name: "aws_ssm_parameter", of: fields{
			str("name", required), region, boolean("with_decryption"), computed("id", "{name}"), computed("type", "String"),
			computed("value", "standin-{asked}", sensitive), computed("arn", "arn:aws:ssm:{region}:{account}:parameter/{name}"),
		}},
		{name: "aws_iam_policy_document", read: policyDocument, of: fields{
			computed("id", "{asked}"), str("version", defaults("2012-10-17")), str("policy_id"),
			strList("source_policy_documents"), strList("override_policy_documents"),
			computed("json", ""), computed("minified_json", ""),
			blocks("statement", fields{
				str("sid"), str("effect", oneOf("Allow", "Deny")),
				strSet("actions"), strSet("not_actions"), strSet("resources"), strSet("not_resources"),
				blockSet("principals", principal()), blockSet("not_principals", principal()),
				blockSet("condition", fields{str("test", required), str("variable", required), strList("values", required)}),
			}),
		}},
	}
}

func principal() fields { return fields{str("type", required), strSet("identifiers", required)} }
