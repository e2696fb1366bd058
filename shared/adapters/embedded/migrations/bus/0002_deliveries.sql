-- How often the message was delivered since it became ready, so that one that kills its reader is parked in the end.
ALTER TABLE messages ADD COLUMN deliveries INTEGER NOT NULL DEFAULT 0 CHECK (deliveries >= 0);
