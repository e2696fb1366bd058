-- Which span published the message, as W3C's traceparent. NULL: nobody has said.
ALTER TABLE messages ADD COLUMN traceparent TEXT CHECK (length(traceparent) = 55);
