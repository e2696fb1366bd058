-- Where the trace of a purchase goes on, as W3C's traceparent. CLICK's requests do not bring it: a Prepare and a Complete find it
-- with their order. NULL: nobody sent one. An event keeps that of the request which caused it.
ALTER TABLE orders ADD COLUMN traceparent TEXT CHECK (length(traceparent) = 55);
ALTER TABLE outbox ADD COLUMN traceparent TEXT CHECK (length(traceparent) = 55);
