# METADATA
# scope: package
# title: The cost rises much
# description: Finds plans that raise the estimated monthly cost by more than the settings allow, in the currency or in percent.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A plan shows no price. One digit more in a count or a size is a bill at the end of the month
#     that nobody has agreed to.
#   mend: >-
#     Look in the estimate for what the rise comes from. If it is meant, say so in the pull request;
#     an owner of the policies can raise most_increase or most_percent.
#   examples:
#     bad:
#       cost: { currency: USD, before: 400, after: 2400, delta: 2000, known: true }
#       hcl: |
#         resource "aws_instance" "web" {
#           instance_type = "m7i.8xlarge" # 2,000 USD a month more than before
#         }
#     good:
#       cost: { currency: USD, before: 400, after: 430, delta: 30, known: true }
#       hcl: |
#         resource "aws_instance" "web" {
#           instance_type = "t3.medium"
#         }
package tidelock.cost.increase

import data.tidelock.cost.settings

deny contains {"msg": message} if {
	input.cost.delta > settings.most_increase
	message := sprintf("The cost rises by %s%d %s a month, to %d; up to %v are free of questions.", [at_least, round(input.cost.delta), input.cost.currency, round(input.cost.after), settings.most_increase])
}

deny contains {"msg": message} if {
	input.cost.delta <= settings.most_increase
	input.cost.delta >= settings.percent_from
	input.cost.before > 0
	percent := (input.cost.delta * 100) / input.cost.before
	percent > settings.most_percent
	message := sprintf("The cost rises by %s%d %% to %d %s a month; up to %v %% are free of questions.", [at_least, round(percent), round(input.cost.after), input.cost.currency, settings.most_percent])
}

default at_least := ""

at_least := "at least " if input.cost.known == false
