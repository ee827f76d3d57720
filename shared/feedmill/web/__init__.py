"""The outside world, asked politely and answered safely: addresses, requests, spacing."""
