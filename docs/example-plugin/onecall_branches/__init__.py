"""Opening hours of branch offices by telephone: an example of a service that OneCall does not bring."""
