package tidelock.security.aws.api_open_test

import data.tidelock.fixture
import data.tidelock.security.aws.api_open

found(changes) := result if {
	result := api_open.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_open if {
	messages([fixture.create("aws_api_gateway_method", {"authorization": "NONE", "http_method": "POST"})]) == {"Everyone may call the method POST."}
	messages([fixture.create("aws_apigatewayv2_route", {"route_key": "GET /orders"})]) == {"Everyone may call the route GET /orders."}
	messages([fixture.create("aws_apigatewayv2_route", {"route_key": "$connect"})]) == {"Everyone may call the route $connect."}
	messages([fixture.create("aws_lambda_function_url", {"authorization_type": "NONE"})]) == {"Everyone may call the function by its URL."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_api_gateway_method", {"authorization": "NONE", "http_method": "OPTIONS"}),
		fixture.create("aws_api_gateway_method", {"authorization": "NONE", "http_method": "GET", "api_key_required": true}),
		fixture.create("aws_apigatewayv2_route", {"route_key": "GET /orders", "authorization_type": "JWT"}),
		fixture.create("aws_apigatewayv2_route", {"route_key": "$disconnect"}),
		fixture.create("aws_apigatewayv2_route", {"route_key": "OPTIONS /orders"}),
		fixture.create("aws_lambda_function_url", {"authorization_type": "AWS_IAM"}),
	])) == 0
}
