BEGIN TRANSACTION;
CREATE TABLE actions (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	thread VARCHAR NOT NULL, 
	expires_at FLOAT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "actions" VALUES(1,'T-1/0','succeeded',3,'terminal:maya',1795426200.0,'{"id":"A-1","key":"T-1/0","tool":"valve","tool_version":"1","arguments":{"position":20,"site":"north"},"provenance":{"position":"asker"},"requester":"maya","thread":"terminal:maya","why":"move it to 20","plan":{"title":"Move the valve to 20","changes":[{"what":"position","before":"10","after":"20"}],"touches":["valve"],"observed":{"position":10},"undo":{"tool":"valve","arguments":{"position":10}},"undo_text":"move it back to 10","health":"","notes":[]},"requirement":{"rule":"valves","approver_roles":["keeper"],"quorum":1,"self_approval":false,"reason_required":false,"policy_version":"74f2cf363af9"},"created_at":"2026-11-23T09:00:00Z","expires_at":"2026-11-23T09:30:00Z","state":"succeeded","revision":3,"decisions":[{"action":"A-1","digest":"cedd113fa5c5c2690d59315aed722ec81bcffbd9d225ebad1c145ef302dca74a","person":"tom","verdict":"approve","reason":"fine","at":"2026-11-23T09:01:00Z"}],"supersedes":null,"superseded_by":null,"detail":"moved to 20; it stands at 20","started_at":"2026-11-23T09:01:00Z","ended_at":"2026-11-23T09:01:00Z","worker":"worker-1"}');
INSERT INTO "actions" VALUES(2,'T-2/0','awaiting_approval',0,'terminal:maya',1795426320.0,'{"id":"A-2","key":"T-2/0","tool":"valve","tool_version":"1","arguments":{"position":40,"site":"north"},"provenance":{"position":"asker"},"requester":"maya","thread":"terminal:maya","why":"move it to 40","plan":{"title":"Move the valve to 40","changes":[{"what":"position","before":"20","after":"40"}],"touches":["valve"],"observed":{"position":20},"undo":{"tool":"valve","arguments":{"position":20}},"undo_text":"move it back to 20","health":"","notes":[]},"requirement":{"rule":"valves","approver_roles":["keeper"],"quorum":1,"self_approval":false,"reason_required":false,"policy_version":"74f2cf363af9"},"created_at":"2026-11-23T09:02:00Z","expires_at":"2026-11-23T09:32:00Z","state":"awaiting_approval","revision":0,"decisions":[],"supersedes":null,"superseded_by":null,"detail":"","started_at":null,"ended_at":null,"worker":null}');
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	data TEXT NOT NULL, 
	previous VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "audit" VALUES(1,'2026-11-23T09:00:00.000000+00:00','proposed','maya','A-1','{"arguments": {"position": 20, "site": "north"}, "digest": "cedd113fa5c5c2690d59315aed722ec81bcffbd9d225ebad1c145ef302dca74a", "observed": {"position": 10}, "policy_version": "74f2cf363af9", "provenance": {"position": "asker"}, "rule": "valves", "supersedes": null, "title": "Move the valve to 20", "tool": "valve", "tool_version": "1", "why": "move it to 20"}','0000000000000000000000000000000000000000000000000000000000000000','a59588d443d0c1e1f305af35dbe9aa7f8749c6f7ccc97e91f755ff851805e9a1');
INSERT INTO "audit" VALUES(2,'2026-11-23T09:00:00.000000+00:00','answered','maya','T-1','{"answer_sha256": "abc", "receipt": {"seconds": 1.5}}','a59588d443d0c1e1f305af35dbe9aa7f8749c6f7ccc97e91f755ff851805e9a1','c00182a3f33f883a39e43e4e209c37b452dee30ff33586e126134bd070e22b75');
INSERT INTO "audit" VALUES(3,'2026-11-23T09:01:00.000000+00:00','decision_refused','maya','A-1','{"attempt": "approve", "digest": "cedd113fa5c5c2690d59315aed722ec81bcffbd9d225ebad1c145ef302dca74a", "reason": "own_request"}','c00182a3f33f883a39e43e4e209c37b452dee30ff33586e126134bd070e22b75','cabb2239fd500106eb1c56cdb30b9512fd27f89f3d4adcd685ebf6c3bc80e3fc');
INSERT INTO "audit" VALUES(4,'2026-11-23T09:01:00.000000+00:00','decided','tom','A-1','{"digest": "cedd113fa5c5c2690d59315aed722ec81bcffbd9d225ebad1c145ef302dca74a", "reason": "fine", "state": "approved", "verdict": "approve", "votes_missing": 0}','cabb2239fd500106eb1c56cdb30b9512fd27f89f3d4adcd685ebf6c3bc80e3fc','b3346863da0987b856628b88405e259264bcdf3707e446916e7fbab03f515d3e');
INSERT INTO "audit" VALUES(5,'2026-11-23T09:01:00.000000+00:00','claimed','sayso','A-1','{"worker": "worker-1"}','b3346863da0987b856628b88405e259264bcdf3707e446916e7fbab03f515d3e','aa0576533d07933181db4c3c14475e64caa1f024e8ad29d5d7125816e6449abf');
INSERT INTO "audit" VALUES(6,'2026-11-23T09:01:00.000000+00:00','succeeded','sayso','A-1','{"detail": "moved to 20; it stands at 20", "verified": "done"}','aa0576533d07933181db4c3c14475e64caa1f024e8ad29d5d7125816e6449abf','16948fd488c61cfd546552361e911ab8692417268d2c0822058e2e2b0fda3954');
INSERT INTO "audit" VALUES(7,'2026-11-23T09:02:00.000000+00:00','proposed','maya','A-2','{"arguments": {"position": 40, "site": "north"}, "digest": "16f41cc7cda99909291b2a31689671a09596e3acfd6aa876f4b2a9092a916b25", "observed": {"position": 20}, "policy_version": "74f2cf363af9", "provenance": {"position": "asker"}, "rule": "valves", "supersedes": null, "title": "Move the valve to 40", "tool": "valve", "tool_version": "1", "why": "move it to 40"}','16948fd488c61cfd546552361e911ab8692417268d2c0822058e2e2b0fda3954','f2294a235038e949f4fb931c413450bdf270bff0afea2c07868bf60d7d8ba117');
CREATE TABLE meta (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('version','1');
CREATE TABLE notices (
	id INTEGER NOT NULL, 
	thread VARCHAR NOT NULL, 
	"after" INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "notices" VALUES(1,'terminal:maya',1,'A-1 is done',1795424460.0);
CREATE TABLE replies (
	turn INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (turn, position)
);
INSERT INTO "replies" VALUES(1,0,'{"text":"","calls":[{"id":"c1","name":"valve","arguments":"{\"position\": 20}"}],"usage":{"input_tokens":10,"output_tokens":2,"cost":0.1},"model":"m","by_code":false,"note":""}');
CREATE TABLE turns (
	id INTEGER NOT NULL, 
	event_id VARCHAR NOT NULL, 
	thread VARCHAR NOT NULL, 
	speaker VARCHAR NOT NULL, 
	question TEXT NOT NULL, 
	asked_at FLOAT NOT NULL, 
	answer TEXT, 
	record TEXT, 
	finished_at FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (event_id)
);
INSERT INTO "turns" VALUES(1,'e1','terminal:maya','maya','move the valve to 20, s''il vous plaît',1795424400.0,'A-1 waits for approval','{"answer_sha256": "abc", "finished_at": "2026-11-23T09:00:00+00:00", "receipt": {"seconds": 1.5}}',1795424400.0);
INSERT INTO "turns" VALUES(2,'e2','terminal:maya','maya','and then?',1795424520.0,NULL,NULL,NULL);
CREATE INDEX turns_by_thread ON turns (thread, id);
CREATE INDEX notices_by_thread ON notices (thread, "after");
CREATE INDEX actions_by_thread ON actions (thread, id);
CREATE INDEX actions_by_state ON actions (state, id);
CREATE INDEX audit_by_subject ON audit (subject, seq);
COMMIT;
