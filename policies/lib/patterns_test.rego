package tidelock.patterns_test

import data.tidelock.patterns

test_pairs if {
	patterns.pair("owner=^team-") == ["owner", "^team-"]
	patterns.pair("a = b=c") == ["a", "b=c"]
	not patterns.pair("owner")
	not patterns.pair("=x")
}

test_unreadable if {
	patterns.unreadable(["a=^b$", "a", "a=("]) == {"a", "a=("}
	patterns.invalid(["^b$", "("]) == {"("}
}

test_unglobbable if {
	patterns.unglobbable(["a*", "[", "m[1-3]-*"]) == {"["}
}

test_globbed if {
	patterns.globbed(["x", "AWS_*"], "aws_s3_bucket")
	patterns.globbed(["*.example.com"], "a.b.example.com")
	not patterns.globbed(["aws_*"], "azurerm_aws_x")
	not patterns.globbed([], "a")
}
