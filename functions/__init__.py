"""One module per Lambda function, named after its state or trigger."""
